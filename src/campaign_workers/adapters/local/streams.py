"""Streams and queues in a SQLite file."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import attrs

from campaign_workers.adapters.local.sqlite import Database
from campaign_workers.domain.events import StreamRecord
from campaign_workers.domain.limits import checked_message, checked_record, shard_number
from campaign_workers.ports.system import Clock

_PUT_TOGETHER = 5_000
_BYTES_TOGETHER = 8 * 1024 * 1024


class SqliteRecordStream:
    """One stream; sequence numbers are its row ids, padded so that they sort as text."""

    def __init__(
        self, database: Database, clock: Clock, *, name: str, shard_count: int = 2
    ) -> None:
        self._database, self._name, self._clock = database, name, clock
        self._shard_count = shard_count
        database.execute(
            "CREATE TABLE IF NOT EXISTS records (sequence INTEGER PRIMARY KEY, stream TEXT,"
            " shard INTEGER, partition_key TEXT, data BLOB, arrived REAL)"
        )
        database.execute(
            "CREATE INDEX IF NOT EXISTS records_in_order ON records (stream, shard, sequence)"
        )

    def put(self, records: Iterable[tuple[str, bytes]]) -> int:
        """See `RecordStream.put`; some thousand records are written together."""
        count = size = 0
        rows: list[tuple[object, ...]] = []
        try:
            for partition_key, data in records:
                checked_record(partition_key, data)
                shard = shard_number(partition_key, self._shard_count)
                rows.append((self._name, shard, partition_key, data))
                size += len(data)
                if len(rows) == _PUT_TOGETHER or size >= _BYTES_TOGETHER:
                    together, rows, size = rows, [], 0
                    count += self._insert(together)
        finally:
            count += self._insert(rows)
        return count

    def shards(self) -> tuple[str, ...]:
        """Names of the shards, in order."""
        return tuple(f"shardId-{number:012d}" for number in range(self._shard_count))

    def read(self, shard: str, *, after: str | None, limit: int) -> tuple[StreamRecord, ...]:
        """At most `limit` records of a shard after a sequence number, None from its start."""
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
        """How many records were put."""
        [[depth]] = self._database.execute(
            "SELECT count(*) FROM records WHERE stream = ?", self._name
        )
        return int(depth)

    def _insert(self, rows: list[tuple[object, ...]]) -> int:
        arrived = self._clock.now().timestamp()
        self._database.execute_many(
            "INSERT INTO records (stream, shard, partition_key, data, arrived)"
            " VALUES (?, ?, ?, ?, ?)",
            ((*row, arrived) for row in rows),
        )
        return len(rows)


def _record(sequence: int, partition_key: str, data: bytes, arrived: float) -> StreamRecord:
    return StreamRecord(
        sequence=f"{sequence:020d}",
        partition_key=partition_key,
        data=data,
        arrived=datetime.fromtimestamp(arrived, UTC),
    )


@attrs.frozen(kw_only=True)
class ReceivedMessage:
    """A message under way; it comes again unless it is deleted."""

    message_id: str
    body: str = attrs.field(repr=False)
    receive_count: int


class SqliteMessageQueue:
    """One queue."""

    def __init__(self, database: Database, clock: Clock, *, name: str) -> None:
        self._database, self._name, self._clock = database, name, clock
        database.execute(
            "CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY AUTOINCREMENT,"
            " queue TEXT, body TEXT, received INTEGER DEFAULT 0, hidden_until REAL DEFAULT 0)"
        )

    def send(self, bodies: Iterable[str]) -> int:
        """See `MessageQueue.send`."""
        sent: list[tuple[object, ...]] = []
        try:
            sent.extend((self._name, checked_message(body)) for body in bodies)
        finally:
            self._database.execute_many(
                "INSERT INTO messages (queue, body) VALUES (?, ?)", iter(sent)
            )
        return len(sent)

    def receive(self, limit: int, *, visibility_seconds: float) -> tuple[ReceivedMessage, ...]:
        """At most `limit` messages, which nobody else gets for `visibility_seconds`."""
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
        """Forget a message; one that is not there is no error."""
        self._database.execute("DELETE FROM messages WHERE number = ?", int(message_id))

    def depth(self) -> int:
        """How many messages there are, under way or not."""
        [[depth]] = self._database.execute(
            "SELECT count(*) FROM messages WHERE queue = ?", self._name
        )
        return int(depth)

    def bodies(self) -> Iterator[str]:
        """What the messages say, oldest first; receives nothing."""
        rows = self._database.execute(
            "SELECT body FROM messages WHERE queue = ? ORDER BY number", self._name
        )
        return (body for (body,) in rows)
