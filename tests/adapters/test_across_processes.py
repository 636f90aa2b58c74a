"""Adapters over one folder or one file exclude each other, as processes do."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from campaign_workers.adapters.local.object_store import FolderObjectStore
from campaign_workers.adapters.local.sqlite import Database
from campaign_workers.adapters.local.streams import SqliteMessageQueue, SqliteRecordStream
from campaign_workers.adapters.local.tables import SqliteTables
from campaign_workers.adapters.local.workflow import SqliteWorkflowStarter
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.errors import Conflict, Fatal, RetryLater
from campaign_workers.ports.object_store import ObjectInfo
from campaign_workers.ports.workflow import Execution
from campaign_workers.testing.contracts._base import race
from tests.adapters.runtime_stage import NOON
from tests.contracts.outages import lock_database

CLOCK = SteppedClock(NOON)
MANY = range(4)


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[list[Database]]:
    """Connections to one file, as that many processes have them."""
    with ExitStack() as stack:
        file = tmp_path / "state.sqlite"
        yield [stack.enter_context(closing(Database(file))) for _ in MANY]


@pytest.mark.parametrize("fresh", [True, False], ids=["if_absent", "if_match"])
def test_one_store_of_a_folder_wins(tmp_path: Path, fresh: bool) -> None:
    """A precondition holds between concurrent stores of one folder."""
    stores = [FolderObjectStore(tmp_path, CLOCK) for _ in MANY]
    etag = None if fresh else stores[0].put("k", b"old").etag
    outcomes = race(*(partial(s.put, "k", b"x", if_absent=fresh, if_match=etag) for s in stores))
    assert sum(isinstance(outcome, ObjectInfo) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 3


def test_one_connection_inserts_a_row(databases: list[Database]) -> None:
    """One insert returns True, and all others return False."""
    tables = [SqliteTables(database)("t") for database in databases]
    assert sorted(map(bool, race(*(partial(t.insert, "k", {}) for t in tables)))) == [
        False,
        False,
        False,
        True,
    ]


def test_connections_count_every_time(databases: list[Database]) -> None:
    """A row that is read and written in a context is locked for other connections."""

    def count(database: Database) -> None:
        table = SqliteTables(database)("t")
        for _ in range(10):
            with table.atomic():
                table.put("k", {"n": (table.get("k") or {"n": 0})["n"] + 1})

    race(*(partial(count, database) for database in databases))
    assert SqliteTables(databases[0])("t").get("k") == {"n": 40}


def test_connections_share_the_messages(databases: list[Database]) -> None:
    """None comes to two of them."""
    queues = [SqliteMessageQueue(database, CLOCK, name="q") for database in databases]
    queues[0].send(f"{number:02}" for number in range(60))

    def drain(queue: SqliteMessageQueue) -> list[str]:
        mine: list[str] = []
        while some := queue.receive(2, visibility_seconds=60):
            mine += [message.body for message in some]
        return mine

    shares = race(*(partial(drain, queue) for queue in queues))
    found = sorted(body for share in shares if isinstance(share, list) for body in share)
    assert found == [f"{number:02}" for number in range(60)]


def test_one_connection_starts_an_execution(databases: list[Database]) -> None:
    """The others get the one that runs."""
    starters = [SqliteWorkflowStarter(database, CLOCK) for database in databases]
    outcomes = race(*(partial(starter.start, "wave", {}) for starter in starters))
    assert all(isinstance(outcome, Execution) for outcome in outcomes)
    assert sum(isinstance(o, Execution) and o.is_new for o in outcomes) == 1


def test_a_stream_is_read_while_it_is_written(databases: list[Database]) -> None:
    """A reader that goes on after what it saw misses nothing that writers put meanwhile."""
    streams = [
        SqliteRecordStream(database, CLOCK, name="s", shard_count=1) for database in databases
    ]

    def write(stream: SqliteRecordStream) -> list[bytes]:
        for number in range(20):
            stream.put([("key", b"%d" % number)] * 3)
        return []

    def read(stream: SqliteRecordStream) -> list[bytes]:
        [shard], seen, after = stream.shards(), list[bytes](), None
        while len(seen) < 180:
            for record in stream.read(shard, after=after, limit=7):
                seen.append(record.data)
                after = record.sequence
        return seen

    writers = [partial(write, stream) for stream in streams[1:]]
    seen, *_ = race(partial(read, streams[0]), *writers)
    assert isinstance(seen, list)
    assert sorted(seen) == sorted(b"%d" % number for number in range(20) for _ in range(9))


@pytest.mark.parametrize("call", ["put", "atomic", "delete", "insert"])
def test_a_locked_file_asks_for_another_try(tmp_path: Path, call: str) -> None:
    """A writer that waits too long gets an error, and succeeds once the other has finished."""
    file = tmp_path / "state.sqlite"
    with closing(Database(file, timeout_seconds=0.01)) as database:
        table = SqliteTables(database)("t")
        calls = {
            "put": lambda: table.put("k", {}),
            "atomic": lambda: table.atomic().__enter__(),
            "delete": lambda: table.delete(["k"]),
            "insert": lambda: table.insert("k", {}),
        }
        with lock_database(file), pytest.raises(RetryLater, match="locked"):
            calls[call]()
        assert table.insert("k", {})


def test_a_file_that_is_no_database_is_not_reported_as_busy(tmp_path: Path) -> None:
    """Trying again would not help: a person has to look at it."""
    (tmp_path / "state.sqlite").write_bytes(b"notes of the tour " * 99)
    with pytest.raises(Fatal, match="not a database"):
        Database(tmp_path / "state.sqlite")


def test_a_full_file_keeps_nothing_of_a_transaction(tmp_path: Path) -> None:
    """What did not fit is undone, and the next transaction is none of its business."""
    file = tmp_path / "state.sqlite"
    with closing(Database(file)) as database:
        table = SqliteTables(database)("t")
        table.put("a", {})
        [[pages]] = database.execute("PRAGMA page_count")
        database.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(RetryLater, match="full"):
            table.put_many((f"k{n}", {"text": "x" * 500}) for n in range(1000))
        database.execute("PRAGMA max_page_count = 1000000")
        table.put("b", {})
        assert [key for key, _ in table.scan()] == ["a", "b"]
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (2,)
