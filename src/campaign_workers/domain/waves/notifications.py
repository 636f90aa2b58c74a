"""Notifications: the text or e-mail that a registrant of a wave is sent."""

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import attrs
import smsutil

from campaign_workers.domain.contact.details import NORTH_AMERICA, is_email, normalise_phone
from campaign_workers.domain.waves.files import Registrant
from campaign_workers.domain.waves.outcomes import RowOutcome

NAME_LIMIT: Final = 40
"""The maximum number of characters of a name."""

_PLACEHOLDER: Final = re.compile(r"\{(code|link|firstName)\}")
_CODE: Final = "{code}"

# Phones turn a dot before two letters, and four numbers with dots, into a link.
_LINK_LIKE: Final = re.compile(r"://|www\.|[.。．｡]\w*[^\W\d_]{2}|(\d+\.){3}\d", re.IGNORECASE)
_BRACES: Final = str.maketrans("", "", "{}")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs"})
_BREAKS: Final = frozenset("\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85")


def message_id(wave: str, registrant: Registrant) -> str:
    """Return the id of a registrant's message, which is the same on every retry."""
    unit = f"{wave}:{registrant.global_user_id}:{registrant.market_id}"
    return str(uuid5(NAMESPACE_URL, f"campaign-workers:{unit}"))


@attrs.define(kw_only=True, slots=False)
class Notification:
    """The message to one registrant of a wave; `message_id` is the same on every retry."""

    campaign_id: str
    wave: str
    registrant: Registrant
    message_id: str

    @classmethod
    def build(cls, campaign_id: str, wave: str, registrant: Registrant) -> "Notification":
        """Build the notification of a registrant of a wave."""
        return cls(
            campaign_id=campaign_id,
            wave=wave,
            registrant=registrant,
            message_id=message_id(wave, registrant),
        )

    @cached_property
    def phone(self) -> str | None:
        """The number to text in E.164; None if the registrant cannot be texted.

        Only North American numbers are texted, if the owner allows it and the row has a text.
        """
        registrant = self.registrant
        if registrant.do_not_text or not registrant.sms_text:
            return None
        number, country_code = normalise_phone(registrant.mobile_number)
        return number if country_code == NORTH_AMERICA else None

    @cached_property
    def email(self) -> str | None:
        """The e-mail address, None if there is no valid one."""
        address = self.registrant.email.lower()
        return address if is_email(address) else None

    @property
    def failure(self) -> RowOutcome | None:
        """Why nothing can be sent, None if something can.

        A message with a place for a code is useless without a code, by text and by e-mail.
        """
        if _CODE in self.registrant.sms_text and not self.registrant.code:
            return RowOutcome.NO_CODE
        return None if self.phone or self.email else RowOutcome.NO_CHANNEL

    @cached_property
    def text(self) -> str:
        """The text with its placeholders filled in."""
        return fill_template(self.registrant.sms_text, self._values)

    def email_body(self) -> str:
        """Return the message for the e-mail queue, as JSON."""
        registrant = self.registrant
        body: dict[str, Any] = {
            "messageId": self.message_id,
            "campaignId": self.campaign_id,
            "wave": self.wave,
            "globalUserId": registrant.global_user_id,
            "email": self.email,
            "locale": registrant.locale or None,
            "data": {
                **self._values,
                "lastName": clean_name(registrant.last_name),
                "marketId": registrant.market_id or None,
            },
        }
        return json.dumps(body, separators=(",", ":"))

    @property
    def _values(self) -> dict[str, str]:
        registrant = self.registrant
        return {
            "code": registrant.code,
            "link": registrant.link,
            "firstName": clean_name(registrant.first_name),
        }


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """Fill `{code}`, `{link}` and `{firstName}` into `template`.

    Values are inserted literally in one pass: braces inside a value, and any other braces, stay.
    """
    return _PLACEHOLDER.sub(lambda place: values[place[1]], template)


def clean_name(name: str) -> str:
    """Remove links, braces and control characters from a name, and cut it at 40 characters.

    Bots register with links as names; a word that a phone would turn into a link is removed.
    """
    if name.isalpha():
        return name[:NAME_LIMIT]
    visible = "".join(
        " " if character in _BREAKS else character
        for character in name.translate(_BRACES)
        if character in _BREAKS or unicodedata.category(character) not in _INVISIBLE
    )
    words = (word for word in visible.split() if not _LINK_LIKE.search(word))
    return " ".join(words)[:NAME_LIMIT].rstrip()


def count_segments(text: str) -> int:
    """Return the number of SMS segments of a text.

    One segment holds 160 characters of GSM-7 or 70 of UCS-2. The segments of a longer text hold
    153 or 67, because each has a header with its position. Characters of the GSM extension table
    and those beyond the basic multilingual plane count double and are never split.
    """
    return len(smsutil.split(text).parts)
