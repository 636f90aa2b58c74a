"""Streams and queues in lists keep their contracts."""

from datetime import UTC, datetime

import pytest

from campaign_workers.adapters.memory.streams import MemoryMessageQueue, MemoryRecordStream
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


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))


class TestMemoryRecordStream(RecordStreamContract, ReadableStreamContract):
    """`MemoryRecordStream`."""

    @pytest.fixture
    def stream(self, clock: SteppedClock) -> MemoryRecordStream:
        return MemoryRecordStream(clock)

    @pytest.fixture
    def taken(self, stream: MemoryRecordStream) -> Taken:
        return lambda: [(r.partition_key, r.data) for shard in stream._shards for r in shard]

    @pytest.fixture
    def outage(self, stream: MemoryRecordStream) -> Outage:
        return stream.outage


class TestMemoryMessageQueue(MessageQueueContract, ReceivableQueueContract):
    """`MemoryMessageQueue`."""

    @pytest.fixture
    def queue(self, clock: SteppedClock) -> MemoryMessageQueue:
        return MemoryMessageQueue(clock)

    @pytest.fixture
    def held(self, queue: MemoryMessageQueue) -> Held:
        return lambda: [message.body for message in queue._messages.values()]

    @pytest.fixture
    def outage(self, queue: MemoryMessageQueue) -> Outage:
        return queue.outage
