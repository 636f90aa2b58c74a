"""Block- and allowlists as people keep them: one entry a line, `#` comments."""

import re
from typing import Final

from campaign_workers.domain.errors import BadInput

LARGEST: Final = 64 * 1024 * 1024
"""Bytes that a list may have, unless somebody says otherwise."""

_COMMENT: Final = re.compile(r"(^|\s)#.*")


def list_entries(data: bytes, *, file: str, largest: int = LARGEST) -> dict[int, str]:
    """The entries of a list in UTF-8 by the numbers of their lines; blank lines are none.

    A `#` begins a comment at the start of a line or after a blank: addresses may hold one.

    Raises:
        BadInput: it is no UTF-8, or of more than `largest` bytes.
    """
    if len(data) > largest:
        raise BadInput(f"a list of more than {largest} bytes", file=file)
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as why:
        line = data.count(b"\n", 0, why.start) + 1
        raise BadInput("not UTF-8", file=file, line=line) from None
    entries = {number: _COMMENT.sub("", line).strip() for number, line in enumerate(lines, 1)}
    return {number: entry for number, entry in entries.items() if entry}


def allowed_patterns(data: bytes, *, file: str, largest: int = LARGEST) -> tuple[str, ...]:
    """The patterns of an allowlist.

    Raises:
        BadInput: as `list_entries`, or a pattern without `@`, which would let whole domains in.
    """
    entries = list_entries(data, file=file, largest=largest)
    for line, pattern in entries.items():
        if "@" not in pattern:
            raise BadInput(
                "a pattern without @",
                file=file,
                line=line,
                remedy="write whole addresses, such as *@partner.example",
            )
    return tuple(entries.values())
