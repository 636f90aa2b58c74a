"""Registrants: the rows of a wave file, and the identity of what each of them is sent.

What a registrant is sent: a text or an e-mail, and the words of it.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from enum import IntEnum
from functools import cached_property
from typing import Any, Final, Self
from uuid import NAMESPACE_URL, uuid5

import attrs
import smsutil

from campaign_workers.domain.contact.details import NORTH_AMERICA, is_email, normalise_phone
from campaign_workers.domain.errors import RejectRecord

COLUMNS: Final[Mapping[str, str]] = {
    "code": "code",
    "do_not_text": "doNotText",
    "email": "email",
    "first_name": "firstName",
    "last_name": "lastName",
    "link": "link",
    "locale": "locale",
    "market_id": "marketId",
    "global_user_id": "globalUserId",
    "member_id": "memberId",
    "mobile_number": "mobileNumber",
    "sms_text": "smsText",
}
"""Attribute -> column of wave files, in the order in which we write them."""

OPTIONAL_COLUMNS: Final = frozenset({"code", "link", "locale", "marketId", "memberId", "smsText"})

REQUIRED_COLUMNS: Final = tuple(
    column for column in COLUMNS.values() if column not in OPTIONAL_COLUMNS
)

_MAY_BE_TEXTED: Final = frozenset({"", "false", "0", "no"})


@attrs.frozen(kw_only=True)
class Registrant:
    """A selected fan in one market of a wave; absent cells are empty texts."""

    line: int
    global_user_id: str
    market_id: str = ""
    member_id: str = ""
    locale: str = ""
    do_not_text: bool = False
    code: str = attrs.field(default="", repr=False)
    email: str = attrs.field(default="", repr=False)
    first_name: str = attrs.field(default="", repr=False)
    last_name: str = attrs.field(default="", repr=False)
    link: str = attrs.field(default="", repr=False)
    mobile_number: str = attrs.field(default="", repr=False)
    sms_text: str = attrs.field(default="", repr=False)

    @classmethod
    def read(cls, cells: Mapping[str, str], line: int) -> Self:
        """Read a row by its columns; `line` is its line in the file.

        Raises:
            RejectRecord: it names no fan.
        """
        values = {name: cells.get(column, "").strip() for name, column in COLUMNS.items()}
        if not values["global_user_id"]:
            raise RejectRecord("missing", field="globalUserId")
        barred = values.pop("do_not_text").lower() not in _MAY_BE_TEXTED
        return cls(line=line, do_not_text=barred, **values)


def message_id(wave: str, registrant: Registrant) -> str:
    """The id of what a registrant of a wave is sent, the same on every retry."""
    unit = f"{wave}:{registrant.global_user_id}:{registrant.market_id}"
    return str(uuid5(NAMESPACE_URL, f"campaign-workers:{unit}"))


NAME_LIMIT: Final = 40
"""Characters of a first name that are kept."""

_PLACEHOLDER: Final = re.compile(r"\{(code|link|firstName)\}")
_CODE: Final = "{code}"

# A phone makes a link of anything with a dot before two letters, and of numbers with four parts.
_LINK_LIKE: Final = re.compile(r"://|www\.|[.。．｡]\w*[^\W\d_]{2}|(\d+\.){3}\d", re.IGNORECASE)
_BRACES: Final = str.maketrans("", "", "{}")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs"})
_BREAKS: Final = frozenset("\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85")


class Fate(IntEnum):
    """What became of one row; all from `NO_FAN` on are ways to fail."""

    OPEN = 0
    SMS = 1
    EMAIL = 2
    OVER_LIMIT = 3
    DUPLICATE = 4
    NO_FAN = 5
    NO_CODE = 6
    NO_CHANNEL = 7
    REFUSED = 8
    CHANGED = 9
    TOO_LARGE = 10


FAILURES: Final[Mapping[Fate, str]] = {
    Fate.NO_FAN: "noFan",
    Fate.NO_CODE: "noCode",
    Fate.NO_CHANNEL: "noChannel",
    Fate.REFUSED: "refused",
    Fate.CHANGED: "changed",
    Fate.TOO_LARGE: "tooLarge",
}
"""Names of the failures in reports: the row names no fan; its text has a place for a code and it
has none; it can be reached neither by text nor by e-mail; the text was refused for good and there
is no address; it was changed after a text may have gone; its e-mail is over a message's size."""


@attrs.define(kw_only=True, slots=False)
class Notification:
    """What one registrant of a wave is to be sent; `message_id` is the same on every retry."""

    campaign_id: str
    wave: str
    registrant: Registrant
    message_id: str

    @classmethod
    def of(cls, campaign_id: str, wave: str, registrant: Registrant) -> "Notification":
        """The notification of a registrant of a wave."""
        return cls(
            campaign_id=campaign_id,
            wave=wave,
            registrant=registrant,
            message_id=message_id(wave, registrant),
        )

    @cached_property
    def phone(self) -> str | None:
        """The number to text in E.164; None if the registrant is not to be texted.

        A text goes to a North American number whose owner does not mind, if there is a text.
        """
        registrant = self.registrant
        if registrant.do_not_text or not registrant.sms_text:
            return None
        number, country_code = normalise_phone(registrant.mobile_number)
        return number if country_code == NORTH_AMERICA else None

    @cached_property
    def email(self) -> str | None:
        """The address to write to, None if there is no usable one."""
        address = self.registrant.email.lower()
        return address if is_email(address) else None

    @property
    def failure(self) -> Fate | None:
        """Why nothing can be sent, None if something can.

        A text that has a place for a code is worth nothing without one, and so is its e-mail.
        """
        if _CODE in self.registrant.sms_text and not self.registrant.code:
            return Fate.NO_CODE
        return None if self.phone or self.email else Fate.NO_CHANNEL

    @cached_property
    def text(self) -> str:
        """The words of the text, filled in."""
        return fill(self.registrant.sms_text, self._values)

    def email_body(self) -> str:
        """The message for the e-mail queue, as JSON."""
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


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with `{code}`, `{link}` and `{firstName}` filled in.

    One pass, literally: braces inside a value are not filled again, and others are left alone.
    """
    return _PLACEHOLDER.sub(lambda place: values[place[1]], template)


def clean_name(name: str) -> str:
    """A name without URLs, braces and control characters, cut at 40 characters.

    Bots register with links for names; a word that a phone would make a link of goes as a whole.
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


def segments(text: str) -> int:
    """SMS segments of a text: one up to 160 characters of GSM-7 or 70 of UCS-2.

    Longer ones have 153 or 67 characters each, as each carries its place in the whole; characters
    of the GSM extension and those beyond the basic plane count double, and are never split.
    """
    return len(smsutil.split(text).parts)
