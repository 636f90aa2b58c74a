"""The tables that fakes are tested with: dictionaries and a SQLite file."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.adapters.local.sqlite import Database
from campaign_workers.adapters.local.tables import SqliteTables
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.testing.builders import CREATED


class OverTables:
    """Runs a contract twice: in memory and in a file."""

    @pytest.fixture(params=["memory", "local"])
    def tables(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tables]:
        """Return new, empty tables."""
        if request.param == "memory":
            yield DictTables()
            return
        database = Database(tmp_path / "state.sqlite")
        yield SqliteTables(database)
        database.close()

    @pytest.fixture
    def clock(self) -> SteppedClock:
        """Return a clock that tests advance."""
        return SteppedClock(CREATED)


class FreshIds:
    """Returns ids that no other example of the same test has."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self) -> str:
        """Return the next id."""
        return f"x{next(self._numbers)}"
