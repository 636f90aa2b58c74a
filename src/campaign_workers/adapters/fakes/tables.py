"""Keys of several parts, none of which can be mistaken for another.

The place behind every in-process service: rows by key, in memory or in a file.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import quote


def key_of(*parts: str) -> str:
    """One key of these parts; all but the last are quoted, so that the parts stay apart."""
    return f"{prefix_of(*parts[:-1])}{parts[-1]}"


@lru_cache(maxsize=1024)
def prefix_of(*parts: str) -> str:
    """What every key that begins with these parts begins with, and no other key."""
    return "".join(f"{quote(part, safe='')}/" for part in parts)


def first_of(key: str) -> str:
    """The first part of a key, as `prefix_of` gives it."""
    return key[: key.index("/") + 1]


class KeyedTable(Protocol):
    """Rows (JSON-ready mappings) by text key, in key order. What is handed out is a copy."""

    def get(self, key: str) -> dict[str, Any] | None:
        """The row at `key`, None if there is none."""
        ...

    def get_many(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """The rows that there are, by key."""
        ...

    def put(self, key: str, row: Mapping[str, Any]) -> None:
        """Write a row, in place of one that is there."""
        ...

    def put_many(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Write many rows, all or none."""
        ...

    def insert(self, key: str, row: Mapping[str, Any]) -> bool:
        """Write a row if there is none at `key`; whether it was written."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete rows; those that are not there are no error."""
        ...

    def scan(self, prefix: str = "", *, after: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """Rows whose keys start with `prefix` and sort after `after`, in key order."""
        ...

    def atomic(self) -> AbstractContextManager[None]:
        """All changes in the context, in every table of the same factory, or none of them.

        A context within a context belongs to the outer one.
        """
        ...


class Tables(Protocol):
    """Gives tables by name; the same name is the same table."""

    def __call__(self, name: str) -> KeyedTable:
        """The table `name`, made when it is first asked for."""
        ...
