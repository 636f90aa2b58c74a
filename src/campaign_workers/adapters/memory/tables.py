"""The `KeyedTable` interface in memory, for the fakes."""

import json
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from typing import Any, Final

_MAX_INSERTIONS: Final = 50
"""Up to this many new keys are inserted one by one; more are sorted together."""


class DictTables:
    """Tables by name; `atomic()` covers the changes of all of them."""

    def __init__(self) -> None:
        self.lock = RLock()
        self._tables: dict[str, DictTable] = {}
        self._undo: list[tuple[DictTable, str, str | None]] | None = None

    def __call__(self, name: str) -> "DictTable":
        """Return the table `name`; it is created on first use."""
        with self.lock:
            return self._tables.setdefault(name, DictTable(self))

    def record_change(self, table: "DictTable", key: str, before: str | None) -> None:
        """Record the previous content of a row for a rollback."""
        if self._undo is not None:
            self._undo.append((table, key, before))

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Roll back the changes of every table if the block raises; can be nested."""
        with self.lock:
            outermost = self._undo is None
            changes = self._undo = [] if self._undo is None else self._undo
            before = len(changes)
            try:
                yield
            except BaseException:
                self._undo = None
                while len(changes) > before:
                    table, key, text = changes.pop()
                    table.write(key, text)
                raise
            finally:
                self._undo = None if outermost else changes


class DictTable:
    """Serves `KeyedTable`; rows are stored as JSON, so that callers never share objects."""

    def __init__(self, tables: DictTables) -> None:
        self._tables = tables
        self._rows: dict[str, str] = {}
        self._keys: list[str] = []
        self._new_keys: list[str] = []

    def write(self, key: str, text: str | None) -> None:
        """Store a row's JSON, or delete the row."""
        with self._tables.lock:
            before = self._rows.get(key)
            self._tables.record_change(self, key, before)
            if text is None:
                if before is not None:
                    del self._rows[key]
                    keys = self._sorted_keys()
                    del keys[bisect_left(keys, key)]
                return
            if before is None:
                self._new_keys.append(key)
            self._rows[key] = text

    def get(self, key: str) -> dict[str, Any] | None:
        """See `KeyedTable.get`."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """See `KeyedTable.get_many`."""
        with self._tables.lock:
            return {key: json.loads(self._rows[key]) for key in keys if key in self._rows}

    def put(self, key: str, row: Mapping[str, Any]) -> None:
        """See `KeyedTable.put`."""
        self.write(key, json.dumps(dict(row)))

    def put_many(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """See `KeyedTable.put_many`."""
        with self.atomic():
            for key, row in rows:
                self.put(key, row)

    def insert(self, key: str, row: Mapping[str, Any]) -> bool:
        """See `KeyedTable.insert`."""
        with self._tables.lock:
            if key in self._rows:
                return False
            self.put(key, row)
            return True

    def delete(self, keys: Iterable[str]) -> None:
        """See `KeyedTable.delete`."""
        with self.atomic():
            for key in keys:
                self.write(key, None)

    def scan(self, prefix: str = "", *, after: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """See `KeyedTable.scan`; returns a snapshot of the table at the time of the call."""
        with self._tables.lock:
            keys = self._sorted_keys()
            start = max(bisect_left(keys, prefix), bisect_right(keys, after) if after else 0)
            end = bisect_left(keys, True, start, key=lambda key: not key.startswith(prefix))
            rows = [(key, self._rows[key]) for key in keys[start:end]]
        return ((key, json.loads(text)) for key, text in rows)

    def atomic(self) -> AbstractContextManager[None]:
        """See `KeyedTable.atomic`."""
        return self._tables.atomic()

    def _sorted_keys(self) -> list[str]:
        """Return all keys in order, after adding the new ones."""
        if len(self._new_keys) > _MAX_INSERTIONS:
            self._keys += self._new_keys
            self._keys.sort()
        else:
            for key in self._new_keys:
                insort(self._keys, key)
        self._new_keys.clear()
        return self._keys
