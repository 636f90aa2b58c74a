"""A bucket in a folder keeps its contract."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaign_workers.adapters.local.object_store import FolderObjectStore
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.object_store import (
    AnnouncingStoreContract,
    ObjectStoreContract,
    Peek,
    Plant,
)
from tests.contracts.outages import no_more_files


class TestFolderObjectStore(ObjectStoreContract, AnnouncingStoreContract):
    """`FolderObjectStore`."""

    keys_within_keys = False

    @pytest.fixture
    def clock(self) -> SteppedClock:
        return SteppedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))

    @pytest.fixture
    def store(self, tmp_path: Path, clock: SteppedClock) -> FolderObjectStore:
        return FolderObjectStore(tmp_path, clock)

    @pytest.fixture
    def plant(self, tmp_path: Path) -> Plant:
        def plant(key: str, content: bytes) -> None:
            path = tmp_path / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

        return plant

    @pytest.fixture
    def peek(self, tmp_path: Path) -> Peek:
        def peek(key: str) -> bytes | None:
            path = tmp_path / key
            return path.read_bytes() if path.is_file() else None

        return peek

    @pytest.fixture
    def outage(self) -> Outage:
        return no_more_files
