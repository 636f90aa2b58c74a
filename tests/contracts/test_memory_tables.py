"""Tables in dicts keep their contract."""

import json

import pytest

from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.testing.contracts.keyed_table import (
    AtomicTablesContract,
    KeyedTableContract,
    Peek,
    Plant,
    Row,
)


class TestDictTables(KeyedTableContract, AtomicTablesContract):
    """`DictTables`."""

    @pytest.fixture
    def tables(self) -> DictTables:
        return DictTables()

    @pytest.fixture
    def plant(self, tables: DictTables) -> Plant:
        def plant(name: str, key: str, row: Row) -> None:
            table = tables(name)
            table._rows[key] = json.dumps(row)
            table._new_keys.append(key)

        return plant

    @pytest.fixture
    def peek(self, tables: DictTables) -> Peek:
        def peek(name: str, key: str) -> Row | None:
            text = tables(name)._rows.get(key)
            return None if text is None else json.loads(text)

        return peek
