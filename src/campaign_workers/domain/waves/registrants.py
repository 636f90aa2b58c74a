"""Registrants: the rows of a wave file, and the identity of what each of them is sent."""

from collections.abc import Mapping
from typing import Final, Self
from uuid import NAMESPACE_URL, uuid5

import attrs

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
