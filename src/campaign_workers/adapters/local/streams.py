"""The `RecordStream` and `MessageQueue` ports on SQLite, with the consumers' side of both."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from campaign_workers.adapters.local.sqlite import Database
from campaign_workers.domain.running.events import (
    ReceivedMessage,
    StreamRecord,
    shard_number,
    validate_message,
    validate_record,
)
from campaign_workers.ports.system import Clock

_BATCH_SIZE: Final = 500
"""Rows per transaction, as many as one request to Kinesis accepts."""


class SqliteRecordStream:
    """Serves `RecordStream`; sequence numbers are padded row ids, so that they sort as text."""

    def __init__(
        self, database: Database, clock: Clock, *, name: str, shard_count: int = 2
    ) -> None:
        self._database, self._clock = database, clock
        self._name, self._shard_count = name, shard_count
        database.execute(
            "CREATE TABLE IF NOT EXISTS records (sequence INTEGER PRIMARY KEY, stream TEXT,"
            " shard INTEGER, partition_key TEXT, data BLOB, arrived REAL)"
        )
        database.execute(
            "CREATE INDEX IF NOT EXISTS records_in_order ON records (stream, shard, sequence)"
        )

    def put(self, records: Iterable[tuple[str, bytes]]) -> int:
        """See `RecordStream.put`."""
        return _insert_in_batches(
            self._database,
            "INSERT INTO records (stream, shard, partition_key, data, arrived)"
            " VALUES (?, ?, ?, ?, ?)",
            (self._row(*validate_record(partition_key, data)) for partition_key, data in records),
        )

    def shards(self) -> tuple[str, ...]:
        """Return the names of the shards, in order."""
        return tuple(f"shardId-{number:012d}" for number in range(self._shard_count))

    def read(self, shard: str, *, after: str | None, limit: int) -> tuple[StreamRecord, ...]:
        """Return up to `limit` records of a shard after a sequence number, or from its start."""
        rows = self._database.execute(
            "SELECT sequence, partition_key, data, arrived FROM records"
            " WHERE stream = ? AND shard = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            self._name,
            self.shards().index(shard),
            int(after or 0),
            limit,
        )
        return tuple(_record(*row) for row in rows)

    def depth(self) -> int:
        """Return how many records were put."""
        [[depth]] = self._database.execute(
            "SELECT count(*) FROM records WHERE stream = ?", self._name
        )
        return int(depth)

    def _row(self, partition_key: str, data: bytes) -> tuple[object, ...]:
        shard = shard_number(partition_key, self._shard_count)
        return self._name, shard, partition_key, data, self._clock.now().timestamp()


def _record(sequence: int, partition_key: str, data: bytes, arrived: float) -> StreamRecord:
    return StreamRecord(
        sequence=f"{sequence:020d}",
        partition_key=partition_key,
        data=data,
        arrived=datetime.fromtimestamp(arrived, UTC),
    )


class SqliteMessageQueue:
    """Serves `MessageQueue`; receivers get the oldest message first."""

    def __init__(self, database: Database, clock: Clock, *, name: str) -> None:
        self._database, self._clock, self._name = database, clock, name
        database.execute(
            "CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY AUTOINCREMENT,"
            " queue TEXT, body TEXT, received INTEGER DEFAULT 0, hidden_until REAL DEFAULT 0)"
        )
        database.execute("CREATE INDEX IF NOT EXISTS messages_in_order ON messages (queue, number)")

    def send(self, bodies: Iterable[str]) -> int:
        """See `MessageQueue.send`."""
        return _insert_in_batches(
            self._database,
            "INSERT INTO messages (queue, body) VALUES (?, ?)",
            ((self._name, validate_message(body)) for body in bodies),
        )

    def receive(self, limit: int, *, visibility_seconds: float) -> tuple[ReceivedMessage, ...]:
        """Receive up to `limit` messages and hide them from others for `visibility_seconds`."""
        now = self._clock.now().timestamp()
        rows = self._database.execute(
            "UPDATE messages SET received = received + 1, hidden_until = ? WHERE number IN"
            " (SELECT number FROM messages WHERE queue = ? AND hidden_until <= ?"
            " ORDER BY number LIMIT ?) RETURNING number, body, received",
            now + visibility_seconds,
            self._name,
            now,
            limit,
        )
        return tuple(
            ReceivedMessage(message_id=str(number), body=body, receive_count=received)
            for number, body, received in sorted(rows)
        )

    def delete(self, message_id: str) -> None:
        """Delete a message; a missing one is not an error."""
        self._database.execute("DELETE FROM messages WHERE number = ?", int(message_id))

    def depth(self) -> int:
        """Return how many messages there are, including those in flight."""
        [[depth]] = self._database.execute(
            "SELECT count(*) FROM messages WHERE queue = ?", self._name
        )
        return int(depth)

    def bodies(self) -> Iterator[str]:
        """Return the bodies of the messages, oldest first, without receiving them."""
        rows = self._database.execute(
            "SELECT body FROM messages WHERE queue = ? ORDER BY number", self._name
        )
        return (body for (body,) in rows)


def _insert_in_batches(database: Database, sql: str, rows: Iterable[tuple[object, ...]]) -> int:
    """Insert rows and return their number; if `rows` raises, the rows before are inserted."""
    count = 0
    batch: list[tuple[object, ...]] = []
    try:
        for row in rows:
            batch.append(row)
            count += 1
            if len(batch) == _BATCH_SIZE:
                full, batch = batch, []
                database.execute_many(sql, full)
    finally:
        if batch:
            database.execute_many(sql, batch)
    return count
