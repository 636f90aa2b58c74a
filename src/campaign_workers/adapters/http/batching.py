"""Requests of a size that services take."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The items in their order, at most `size` at a time."""
    left = iter(items)
    while some := list(islice(left, size)):
        yield some


def different(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The same, each item once."""
    return batches(dict.fromkeys(items), size)
