"""Streams and queues in lists."""

from collections.abc import Iterable, Iterator
from threading import RLock

import attrs

from campaign_workers.domain.events import StreamRecord
from campaign_workers.domain.limits import checked_message, checked_record, shard_number
from campaign_workers.ports.system import Clock


@attrs.define
class _Faults:
    _faults: list[Exception] = attrs.field(factory=list, init=False)

    def fail_next(self, error: Exception, times: int = 1) -> None:
        """Make the next calls raise `error`."""
        self._faults.extend([error] * times)

    def _fail(self) -> None:
        if self._faults:
            raise self._faults.pop(0)


@attrs.define
class MemoryRecordStream(_Faults):
    """One stream; sequence numbers count its records and sort as text."""

    clock: Clock
    name: str = "stream"
    shard_count: int = 2
    _shards: list[list[StreamRecord]] = attrs.field(init=False)
    _put: int = attrs.field(default=0, init=False)
    _lock: RLock = attrs.field(factory=RLock, init=False)

    def __attrs_post_init__(self) -> None:
        """Make the shards."""
        self._shards = [[] for _ in range(self.shard_count)]

    def put(self, records: Iterable[tuple[str, bytes]]) -> int:
        """See `RecordStream.put`."""
        self._fail()
        count = 0
        for partition_key, data in records:
            checked_record(partition_key, data)
            with self._lock:
                self._shards[shard_number(partition_key, self.shard_count)].append(
                    StreamRecord(
                        sequence=f"{self._put:020d}",
                        partition_key=partition_key,
                        data=bytes(data),
                        arrived=self.clock.now(),
                    )
                )
                self._put += 1
            count += 1
        return count

    def shards(self) -> tuple[str, ...]:
        """Names of the shards, in order."""
        return tuple(f"shardId-{number:012d}" for number in range(self.shard_count))

    def read(self, shard: str, *, after: str | None, limit: int) -> tuple[StreamRecord, ...]:
        """At most `limit` records of a shard after a sequence number, None from its start."""
        records = self._shards[self.shards().index(shard)]
        start = 0 if after is None else _position(records, after)
        return tuple(records[start : start + limit])

    def depth(self) -> int:
        """How many records were put."""
        return self._put


def _position(records: list[StreamRecord], after: str) -> int:
    low, high = 0, len(records)
    while low < high:
        middle = (low + high) // 2
        if records[middle].sequence <= after:
            low = middle + 1
        else:
            high = middle
    return low


@attrs.frozen(kw_only=True)
class ReceivedMessage:
    """A message under way; it comes again unless it is deleted."""

    message_id: str
    body: str = attrs.field(repr=False)
    receive_count: int


@attrs.define
class MemoryMessageQueue(_Faults):
    """One queue."""

    clock: Clock
    name: str = "queue"
    _messages: dict[str, tuple[str, int, float]] = attrs.field(factory=dict, init=False)
    _sent: int = attrs.field(default=0, init=False)
    _lock: RLock = attrs.field(factory=RLock, init=False)

    def send(self, bodies: Iterable[str]) -> int:
        """See `MessageQueue.send`."""
        self._fail()
        count = 0
        for body in bodies:
            with self._lock:
                self._messages[f"{self._sent:020d}"] = (checked_message(body), 0, 0.0)
                self._sent += 1
            count += 1
        return count

    def receive(self, limit: int, *, visibility_seconds: float) -> tuple[ReceivedMessage, ...]:
        """At most `limit` messages, which nobody else gets for `visibility_seconds`."""
        now = self.clock.now().timestamp()
        with self._lock:
            visible = [key for key, (_, _, until) in self._messages.items() if until <= now]
            return tuple(self._receive(key, now + visibility_seconds) for key in visible[:limit])

    def delete(self, message_id: str) -> None:
        """Forget a message; one that is not there is no error."""
        self._messages.pop(message_id, None)

    def depth(self) -> int:
        """How many messages there are, under way or not."""
        return len(self._messages)

    def bodies(self) -> Iterator[str]:
        """What the messages say, oldest first; receives nothing."""
        return iter([body for body, _, _ in self._messages.values()])

    def _receive(self, key: str, until: float) -> ReceivedMessage:
        body, count, _ = self._messages[key]
        self._messages[key] = (body, count + 1, until)
        return ReceivedMessage(message_id=key, body=body, receive_count=count + 1)
