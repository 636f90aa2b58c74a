"""The `KeyedTable` interface on SQLite, for the fakes and the embedded runtime."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Final

import attrs

from campaign_workers.adapters.local.sqlite import Database

_PAGE_ROWS: Final = 1000
_LAST_CHARACTER: Final = "\U0010ffff"
_SURROGATES: Final = range(0xD800, 0xE000)


class SqliteTables:
    """Tables by name; a transaction of the database covers all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.execute(
            "CREATE TABLE IF NOT EXISTS rows (name TEXT, key TEXT, row TEXT NOT NULL,"
            " PRIMARY KEY (name, key)) WITHOUT ROWID"
        )

    def __call__(self, name: str) -> "SqliteTable":
        """Return the table `name`."""
        return SqliteTable(self._database, name)


@attrs.frozen
class SqliteTable:
    """Serves `KeyedTable` with JSON rows."""

    database: Database
    name: str

    def get(self, key: str) -> dict[str, Any] | None:
        """See `KeyedTable.get`."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """See `KeyedTable.get_many`."""
        remaining = iter(keys)
        rows: dict[str, str] = {}
        while page := tuple(islice(remaining, _PAGE_ROWS)):
            placeholders = ", ".join("?" * len(page))
            sql = f"SELECT key, row FROM rows WHERE name = ? AND key IN ({placeholders})"  # noqa: S608
            rows.update(self.database.execute(sql, self.name, *page))
        return {key: json.loads(row) for key, row in rows.items()}

    def put(self, key: str, row: Mapping[str, Any]) -> None:
        """See `KeyedTable.put`."""
        self.put_many([(key, row)])

    def put_many(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """See `KeyedTable.put_many`."""
        self.database.execute_many(
            "INSERT INTO rows VALUES (?, ?, ?)"
            " ON CONFLICT (name, key) DO UPDATE SET row = excluded.row",
            ((self.name, key, json.dumps(dict(row))) for key, row in rows),
        )

    def insert(self, key: str, row: Mapping[str, Any]) -> bool:
        """See `KeyedTable.insert`."""
        inserted = self.database.execute(
            "INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
            self.name,
            key,
            json.dumps(dict(row)),
        )
        return bool(inserted)

    def delete(self, keys: Iterable[str]) -> None:
        """See `KeyedTable.delete`."""
        self.database.execute_many(
            "DELETE FROM rows WHERE name = ? AND key = ?", ((self.name, key) for key in keys)
        )

    def scan(self, prefix: str = "", *, after: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """See `KeyedTable.scan`; reads one page at a time."""
        operator = ">" if after and after >= prefix else ">="
        position = max(prefix, after)
        end = _prefix_end(prefix)
        while True:
            page = self.database.execute(
                f"SELECT key, row FROM rows WHERE name = ?1 AND key {operator} ?2"  # noqa: S608
                f"{'' if end is None else ' AND key < ?4'} ORDER BY key LIMIT ?3",
                *(self.name, position, _PAGE_ROWS, *(() if end is None else (end,))),
            )
            for key, row in page:
                yield key, json.loads(row)
            if len(page) < _PAGE_ROWS:
                return
            operator, position = ">", page[-1][0]

    def atomic(self) -> AbstractContextManager[None]:
        """See `KeyedTable.atomic`."""
        return self.database.transaction()


def _prefix_end(prefix: str) -> str | None:
    """Return the smallest text after every text with this prefix; None if there is none."""
    stem = prefix.rstrip(_LAST_CHARACTER)
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    return stem[:-1] + chr(_SURROGATES.stop if following in _SURROGATES else following)
