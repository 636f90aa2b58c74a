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


def test_a_file_is_closed_with_the_last_one_who_knows_it(tmp_path: Path) -> None:
    """Who drops a container need not close it; Python 3.13 warns of connections left open."""
    database = Database(tmp_path / "state.sqlite")
    connection = database._connection
    del database
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
