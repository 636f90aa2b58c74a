"""The two spellings of a name: camelCase on the wire, snake_case in frames.

Frames carry unknown columns, which may have either spelling. `from_wire` and `to_wire` therefore
swap the two spellings instead of replacing one of them, so that names never collide and each
function undoes the other.
"""

import re
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import polars as pl

_Frame = TypeVar("_Frame", "pl.DataFrame", "pl.LazyFrame")

_HUMP = re.compile(r"(?<!^)[A-Z]")
_JOINT = re.compile(r"_[a-z]")
_IDENTIFIER = re.compile(r"[a-z][A-Za-z0-9_]*")


def to_snake(name: str) -> str:
    """Return a name in snake_case: `globalUserId` becomes `global_user_id`."""
    return _HUMP.sub(lambda hump: f"_{hump[0].lower()}", name)


def to_camel(name: str) -> str:
    """Return a name in camelCase: `global_user_id` becomes `globalUserId`."""
    return _JOINT.sub(lambda joint: joint[0][1].upper(), name)


def swap_spelling(name: str) -> str:
    """Return the name in its other spelling, or unchanged if it has none; its own inverse."""
    if not _IDENTIFIER.fullmatch(name):
        return name
    if to_camel(to_snake(name)) == name != to_snake(name):
        return to_snake(name)
    if to_snake(to_camel(name)) == name != to_camel(name):
        return to_camel(name)
    return name


def from_wire(frame: _Frame) -> _Frame:
    """Return the frame with the column names of the wire in snake_case."""
    return frame.rename({name: swap_spelling(name) for name in frame.collect_schema().names()})


def to_wire(frame: _Frame) -> _Frame:
    """Return the frame with the column names of the wire; undoes `from_wire`."""
    return from_wire(frame)
