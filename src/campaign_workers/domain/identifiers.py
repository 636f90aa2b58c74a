"""Ids that may stand in a key."""

import re
from typing import Final

from campaign_workers.domain.errors import BadInput

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILE_NAME: Final = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")


def is_key_id(value: str) -> bool:
    """Whether `value` may be part of a key: letters, digits, `._-`, at most 64, no `..`."""
    return bool(_ID.fullmatch(value)) and ".." not in value


def key_id(value: object, field: str) -> str:
    """`value` itself, if it may be part of a key.

    Raises:
        BadInput: it is no text of that form; the message names `field`.
    """
    if isinstance(value, str) and is_key_id(value):
        return value
    raise BadInput(
        "not an id that can go into a key",
        field=field,
        remedy="use letters, digits, '.', '_' and '-', at most 64, without '..'",
    )


def file_name(value: str, field: str) -> str:
    """`value` itself, if it names a file that stays in its folder.

    Raises:
        BadInput: it is empty, `.` or `..`, or has a slash or a control character.
    """
    if _FILE_NAME.fullmatch(value) and value not in {".", ".."}:
        return value
    raise BadInput("not a file name", field=field, remedy="name a file without any folder")
