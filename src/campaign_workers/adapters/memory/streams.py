"""The `RecordStream` and `MessageQueue` ports in memory, with the consumers' side of both."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter
from threading import RLock

import attrs

from campaign_workers.adapters.memory.faults import FaultInjectionMixin
from campaign_workers.domain.running.events import (
    ReceivedMessage,
    StreamRecord,
    shard_number,
    validate_message,
    validate_record,
)
from campaign_workers.ports.system import Clock


@attrs.define
class MemoryRecordStream(FaultInjectionMixin):
    """Serves `RecordStream`; sequence numbers count the records and sort as text."""

    clock: Clock
    name: str = "stream"
    shard_count: int = 2
    _shards: list[list[StreamRecord]] = attrs.field(init=False, repr=False)
    _put: int = attrs.field(default=0, init=False)
    _lock: RLock = attrs.field(factory=RLock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Create the shards."""
        self._shards = [[] for _ in range(self.shard_count)]

    def put(self, records: Iterable[tuple[str, bytes]]) -> int:
        """See `RecordStream.put`."""
        self._raise_injected_fault()
        count = 0
        for partition_key, data in records:
            self._append(*validate_record(partition_key, data))
            count += 1
        return count

    def shards(self) -> tuple[str, ...]:
        """Return the names of the shards, in order."""
        return tuple(f"shardId-{number:012d}" for number in range(self.shard_count))

    def read(self, shard: str, *, after: str | None, limit: int) -> tuple[StreamRecord, ...]:
        """Return up to `limit` records of a shard after a sequence number, or from its start."""
        records = self._shards[self.shards().index(shard)]
        start = bisect_right(records, after or "", key=attrgetter("sequence"))
        return tuple(records[start : start + limit])

    def depth(self) -> int:
        """Return how many records were put."""
        return self._put

    def _append(self, partition_key: str, data: bytes) -> None:
        shard = self._shards[shard_number(partition_key, self.shard_count)]
        with self._lock:
            shard.append(
                StreamRecord(
                    sequence=f"{self._put:020d}",
                    partition_key=partition_key,
                    data=data,
                    arrived=self.clock.now(),
                )
            )
            self._put += 1


@attrs.define(kw_only=True)
class _Message:
    """A message in its queue, invisible to receivers until `hidden_until` (seconds since 1970)."""

    body: str = attrs.field(repr=False)
    received: int = 0
    hidden_until: float = 0.0


@attrs.define
class MemoryMessageQueue(FaultInjectionMixin):
    """Serves `MessageQueue`; receivers get the oldest message first."""

    clock: Clock
    name: str = "queue"
    _messages: dict[str, _Message] = attrs.field(factory=dict, init=False, repr=False)
    _sent: int = attrs.field(default=0, init=False)
    _lock: RLock = attrs.field(factory=RLock, init=False, repr=False)

    def send(self, bodies: Iterable[str]) -> int:
        """See `MessageQueue.send`."""
        self._raise_injected_fault()
        count = 0
        for body in bodies:
            message = _Message(body=validate_message(body))
            with self._lock:
                self._messages[f"{self._sent:020d}"] = message
                self._sent += 1
            count += 1
        return count

    def receive(self, limit: int, *, visibility_seconds: float) -> tuple[ReceivedMessage, ...]:
        """Receive up to `limit` messages and hide them from others for `visibility_seconds`."""
        now = self.clock.now().timestamp()
        with self._lock:
            visible = (item for item in self._messages.items() if item[1].hidden_until <= now)
            return tuple(
                _receive(message_id, message, now + visibility_seconds)
                for message_id, message in islice(visible, limit)
            )

    def delete(self, message_id: str) -> None:
        """Delete a message; a missing one is not an error."""
        with self._lock:
            self._messages.pop(message_id, None)

    def depth(self) -> int:
        """Return how many messages there are, including those in flight."""
        return len(self._messages)

    def bodies(self) -> Iterator[str]:
        """Return the bodies of the messages, oldest first, without receiving them."""
        with self._lock:
            return iter([message.body for message in self._messages.values()])


def _receive(message_id: str, message: _Message, until: float) -> ReceivedMessage:
    message.received += 1
    message.hidden_until = until
    return ReceivedMessage(message_id=message_id, body=message.body, receive_count=message.received)
