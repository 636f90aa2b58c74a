"""A bucket in a dict keeps its contract."""

from datetime import UTC, datetime

import pytest

from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.ports.object_store import ObjectInfo
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.object_store import (
    AnnouncingStoreContract,
    ObjectStoreContract,
    Peek,
    Plant,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class TestMemoryObjectStore(ObjectStoreContract, AnnouncingStoreContract):
    """`MemoryObjectStore`."""

    @pytest.fixture
    def clock(self) -> SteppedClock:
        return SteppedClock(NOON)

    @pytest.fixture
    def store(self, clock: SteppedClock) -> MemoryObjectStore:
        return MemoryObjectStore(clock)

    @pytest.fixture
    def plant(self, store: MemoryObjectStore) -> Plant:
        def plant(key: str, content: bytes) -> None:
            info = ObjectInfo(key=key, size=len(content), etag="planted", modified=NOON)
            store._objects[key] = (info, content)

        return plant

    @pytest.fixture
    def peek(self, store: MemoryObjectStore) -> Peek:
        return lambda key: store._objects[key][1] if key in store._objects else None

    @pytest.fixture
    def outage(self, store: MemoryObjectStore) -> Outage:
        return store.outage
