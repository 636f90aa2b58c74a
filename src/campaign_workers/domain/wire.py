"""The two spellings of a name: camelCase on the wire, snake_case in our frames.

Each function pair is exact in both directions. A frame carries columns that we do not know, in
whatever spelling their owner chose, so `from_wire` and `to_wire` let the two spellings change
places instead of merely replacing one: nothing collides, and there and back again is the frame
that came in.
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
    """`globalUserId` -> `global_user_id`."""
    return _HUMP.sub(lambda hump: f"_{hump[0].lower()}", name)


def to_camel(name: str) -> str:
    """`global_user_id` -> `globalUserId`."""
    return _JOINT.sub(lambda joint: joint[0][1].upper(), name)


def swap_spelling(name: str) -> str:
    """The name in its other spelling; a name that has none stays. Its own inverse."""
    if not _IDENTIFIER.fullmatch(name):
        return name
    if to_camel(to_snake(name)) == name != to_snake(name):
        return to_snake(name)
    if to_snake(to_camel(name)) == name != to_camel(name):
        return to_camel(name)
    return name


def from_wire(frame: _Frame) -> _Frame:
    """The frame with the column names of the wire turned into ours."""
    return frame.rename({name: swap_spelling(name) for name in frame.collect_schema().names()})


def to_wire(frame: _Frame) -> _Frame:
    """The frame with our column names turned into those of the wire; undoes `from_wire`."""
    return from_wire(frame)
