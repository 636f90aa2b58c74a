"""Streams and queues in a SQLite file keep their contracts."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from campaign_workers.adapters.local.sqlite import Database
from campaign_workers.adapters.local.streams import SqliteMessageQueue, SqliteRecordStream
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.message_queue import (
    Held,
    MessageQueueContract,
    ReceivableQueueContract,
)
from campaign_workers.testing.contracts.record_stream import (
    ReadableStreamContract,
    RecordStreamContract,
    Taken,
)
from tests.contracts.outages import lock_database


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    with closing(Database(file, timeout_seconds=0.01)) as database:
        yield database


@pytest.fixture
def outage(file: Path) -> Outage:
    return partial(lock_database, file)


class TestSqliteRecordStream(RecordStreamContract, ReadableStreamContract):
    """`SqliteRecordStream`, beside another one in the same file."""

    @pytest.fixture
    def stream(self, database: Database, clock: SteppedClock) -> SqliteRecordStream:
        SqliteRecordStream(database, clock, name="other").put([("fan-1", b"of another stream")])
        return SqliteRecordStream(database, clock, name="stream")

    @pytest.fixture
    def taken(self, file: Path) -> Taken:
        def taken() -> list[tuple[str, bytes]]:
            with closing(sqlite3.connect(file)) as connection:
                return connection.execute(
                    "SELECT partition_key, data FROM records WHERE stream = 'stream'"
                    " ORDER BY sequence"
                ).fetchall()

        return taken


class TestSqliteMessageQueue(MessageQueueContract, ReceivableQueueContract):
    """`SqliteMessageQueue`, beside another one in the same file."""

    @pytest.fixture
    def queue(self, database: Database, clock: SteppedClock) -> SqliteMessageQueue:
        SqliteMessageQueue(database, clock, name="other").send(["of another queue"])
        return SqliteMessageQueue(database, clock, name="queue")

    @pytest.fixture
    def held(self, file: Path) -> Held:
        def held() -> list[str]:
            with closing(sqlite3.connect(file)) as connection:
                rows = connection.execute("SELECT body FROM messages WHERE queue = 'queue'")
                return [body for (body,) in rows]

        return held
