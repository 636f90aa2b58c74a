"""Tables in a SQLite file keep their contract."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from campaign_workers.adapters.local.sqlite import Database
from campaign_workers.adapters.local.tables import SqliteTables
from campaign_workers.testing.contracts.keyed_table import (
    AtomicTablesContract,
    KeyedTableContract,
    Peek,
    Plant,
    Row,
)


class TestSqliteTables(KeyedTableContract, AtomicTablesContract):
    """`SqliteTables`."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "state.sqlite"

    @pytest.fixture
    def tables(self, file: Path) -> Iterator[SqliteTables]:
        with closing(Database(file)) as database:
            yield SqliteTables(database)

    @pytest.fixture
    def plant(self, file: Path) -> Plant:
        def plant(name: str, key: str, row: Row) -> None:
            with closing(sqlite3.connect(file, isolation_level=None)) as connection:
                connection.execute(
                    "INSERT INTO rows VALUES (?, ?, ?)", (name, key, json.dumps(row))
                )

        return plant

    @pytest.fixture
    def peek(self, file: Path) -> Peek:
        def peek(name: str, key: str) -> Row | None:
            with closing(sqlite3.connect(file)) as connection:
                found = connection.execute(
                    "SELECT row FROM rows WHERE name = ? AND key = ?", (name, key)
                ).fetchone()
            return None if found is None else json.loads(found[0])

        return peek
