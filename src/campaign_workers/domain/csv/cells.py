"""One cell of a CSV file: the guard against formulas, and lists.

A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, TAB or CR. Such a cell gets a
leading apostrophe unless it is a number or an E.164 phone number; reading takes it off again.
Cells that already look guarded are guarded once more, so that reading what was written always
gives back what was meant.
"""

import re
from collections.abc import Iterable
from typing import Final

LIST_SEPARATOR: Final = "|"

NUMBER: Final = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
"""Plain decimal notation; E.164 numbers (`+12125550162`) are among it."""

RISKY: Final = r"^'*[=+\-@\t\r]"
"""Begins like a formula, guarded or not."""

_FIRST = frozenset("'=+-@\t\r")
_RISKY = re.compile(RISKY)
_NUMBER = re.compile(NUMBER, re.ASCII)


def guard_cell(cell: str) -> str:
    """`cell` as it is written into a CSV file."""
    if cell[:1] not in _FIRST or not _RISKY.match(cell) or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"


def unguard_cell(cell: str) -> str:
    """`cell` as it was meant, read from a CSV file."""
    return cell[1:] if cell.startswith("'") and _RISKY.match(cell) else cell


def join_list(items: Iterable[str]) -> str:
    """A list as one cell."""
    return LIST_SEPARATOR.join(items)


def split_list(cell: str) -> tuple[str, ...]:
    """The list in one cell: trimmed, without empty items."""
    return tuple(item for part in cell.split(LIST_SEPARATOR) if (item := part.strip()))
