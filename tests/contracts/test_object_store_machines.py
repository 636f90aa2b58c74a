"""Buckets beside a dictionary, through any sequence of calls, in memory and in a folder."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings

from campaign_workers.adapters.local.object_store import FolderObjectStore
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.testing.builders import CREATED
from campaign_workers.testing.machines.object_store import ObjectStoreMachine


class BucketInMemory(ObjectStoreMachine):
    """`MemoryObjectStore`."""

    def start(self) -> MemoryObjectStore:
        """A fresh store."""
        return MemoryObjectStore(SteppedClock(CREATED))


class BucketInFolder(ObjectStoreMachine):
    """`FolderObjectStore`, now and then opened again; the clock stands still."""

    def start(self) -> FolderObjectStore:
        """A fresh store in a fresh folder."""
        self.folder = TemporaryDirectory()
        return self.again()

    def again(self) -> FolderObjectStore:
        """Another store over the same folder."""
        return FolderObjectStore(Path(self.folder.name), SteppedClock(CREATED))

    def teardown(self) -> None:
        """Remove the folder."""
        self.folder.cleanup()


TestBucketInMemory = BucketInMemory.TestCase
TestBucketInFolder = BucketInFolder.TestCase
TestBucketInFolder.settings = settings(stateful_step_count=25)
