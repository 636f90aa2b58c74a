"""Starts of the state machine in a SQLite file keep their contract."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from campaign_workers.adapters.local.sqlite import Database
from campaign_workers.adapters.local.workflow import SqliteWorkflowStarter
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.workflow import (
    RunnableWorkflowContract,
    Started,
    WorkflowStarterContract,
)
from tests.contracts.outages import lock_database


class TestSqliteWorkflowStarter(WorkflowStarterContract, RunnableWorkflowContract):
    """`SqliteWorkflowStarter`."""

    @pytest.fixture
    def clock(self) -> SteppedClock:
        return SteppedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "state.sqlite"

    @pytest.fixture
    def workflow(self, file: Path, clock: SteppedClock) -> Iterator[SqliteWorkflowStarter]:
        with closing(Database(file, timeout_seconds=0.01)) as database:
            yield SqliteWorkflowStarter(database, clock)

    @pytest.fixture
    def started(self, file: Path) -> Started:
        def started() -> dict[str, dict[str, object]]:
            with closing(sqlite3.connect(file)) as connection:
                rows = connection.execute("SELECT name, payload FROM executions")
                return {name: json.loads(payload) for name, payload in rows}

        return started

    @pytest.fixture
    def outage(self, file: Path) -> Outage:
        return partial(lock_database, file)
