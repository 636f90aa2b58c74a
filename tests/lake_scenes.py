"""A lake with files of registrations, and what the tests ask of it."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from campaign_workers.adapters.avro.block_merge import BlockMerge
from campaign_workers.adapters.avro.codec import AvroRecordCodec
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.streams import MemoryMessageQueue
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.records.record import Record, read_record
from campaign_workers.domain.running.reports import Report
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.testing.builders import registration
from campaign_workers.workers.merge_avro_files import MergeAvroFiles

CODEC = AvroRecordCodec()
NOW = datetime(2026, 9, 3, 10, tzinfo=UTC)
DAILY = {"type": "daily"}
DAY = "avro/registration/2026/09/02"


class MarkedStore(MemoryObjectStore):
    """A bucket in which consoles left empty objects to mark folders."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        if prefix.endswith("/"):
            yield ObjectInfo(key=prefix, size=0, etag="", modified=NOW)
        yield from super().list(prefix, after=after)


def fans(*numbers: int) -> list[Record]:
    """A registration each."""
    return [read_record(registration(f"g{number}")) for number in numbers]


def new_lake() -> MemoryObjectStore:
    """An empty lake."""
    return MemoryObjectStore(SteppedClock(NOW))


def plant(lake: ObjectStore, key: str, *numbers: int) -> None:
    """Put a file of these fans' registrations."""
    lake.put(key, CODEC.encode("registration", fans(*numbers)))


def fans_in(lake: ObjectStore, key: str) -> Counter[str]:
    """The fans in a file, and how often."""
    with lake.open(key) as source:
        return Counter(record["globalUserId"] for record in CODEC.decode(source))


def contents(lake: ObjectStore) -> dict[str, bytes]:
    """Every object of the lake."""
    return {info.key: lake.open(info.key).read() for info in lake.list("")}


def keys(lake: ObjectStore, prefix: str = "") -> list[str]:
    """Keys under a prefix."""
    return [info.key for info in lake.list(prefix)]


def manifest(lake: ObjectStore, period: str) -> dict[str, int]:
    """Records by key, as the manifest of a period has them."""
    document = json.loads(lake.open(f"manifests/registration/{period}.json").read())
    return {source["key"]: source["records"] for source in document["sources"]}


def decode(data: bytes) -> list[dict[str, object]]:
    """The records of a container."""
    return list(CODEC.decode(BytesIO(data)))


def merge(
    lake: Any,
    payload: Any = DAILY,
    moves: Any = None,
    *,
    max_bytes: int = 10**9,
    now: datetime = NOW,
    engine: Any = None,
) -> Report:
    """Run the worker once."""
    clock = SteppedClock(now)
    worker = MergeAvroFiles(
        lake=lake,
        engine=engine or BlockMerge(lake=lake),
        codec=CODEC,
        moves=moves or MemoryMessageQueue(clock),
        clock=clock,
        max_bytes=max_bytes,
    )
    return worker(worker.parse(payload))


def queue() -> MemoryMessageQueue:
    """An empty queue for move messages."""
    return MemoryMessageQueue(SteppedClock(NOW))
