"""Keyed tables, in which all fakes store their rows, and keys made of several parts."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import quote


def key_of(*parts: str) -> str:
    """Join the parts into a key; all but the last are quoted, so that no two keys coincide."""
    return f"{prefix_of(*parts[:-1])}{parts[-1]}"


@lru_cache(maxsize=1024)
def prefix_of(*parts: str) -> str:
    """Return the prefix of the keys that begin with these parts, and of no other key."""
    return "".join(f"{quote(part, safe='')}/" for part in parts)


def first_of(key: str) -> str:
    """Return the first part of a key, in the format of `prefix_of`."""
    return key[: key.index("/") + 1]


class KeyedTable(Protocol):
    """Rows (JSON-ready mappings) by string key, in key order. Returned rows are copies."""

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the row at `key`, None if there is none."""
        ...

    def get_many(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return the existing rows by key."""
        ...

    def put(self, key: str, row: Mapping[str, Any]) -> None:
        """Write a row, replacing an existing one."""
        ...

    def put_many(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Write many rows atomically."""
        ...

    def insert(self, key: str, row: Mapping[str, Any]) -> bool:
        """Write a row if there is none at `key`, and return whether it was written."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete rows; missing ones are ignored."""
        ...

    def scan(self, prefix: str = "", *, after: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield rows whose keys start with `prefix` and sort after `after`, in key order."""
        ...

    def atomic(self) -> AbstractContextManager[None]:
        """Make the changes in the context atomic, across all tables of the same factory.

        A nested context belongs to the outer one.
        """
        ...


class Tables(Protocol):
    """Returns tables by name; the same name is the same table."""

    def __call__(self, name: str) -> KeyedTable:
        """Return the table `name`, created on first use."""
        ...
