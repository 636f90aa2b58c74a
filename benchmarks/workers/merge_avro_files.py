"""mergeAvroFiles, block merge: a day of containers of a thousand registrations.

The floor reads every file and its header, and writes the same bytes as one.
"""

import json
from itertools import cycle, islice
from typing import Any, Final

import fastavro

from benchmarks.costless import Sink
from benchmarks.measuring import Call, Comparison
from benchmarks.records import batches, registrations
from campaign_workers.adapters.avro.block_merge import BlockMerge
from campaign_workers.adapters.avro.codec import AvroRecordCodec
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.records.record import parse_record
from campaign_workers.workers.merge_avro_files import MergeAvroFiles

ROWS: Final = 500_000
RECORDS: Final = 1_000
DAY: Final = "avro/registration/2026/09/01"
_HEADER: Final[Any] = {
    "type": "record",
    "name": "Header",
    "fields": [
        {"name": "magic", "type": {"type": "fixed", "name": "magic", "size": 4}},
        {"name": "meta", "type": {"type": "map", "values": "bytes"}},
        {"name": "sync", "type": {"type": "fixed", "name": "sync", "size": 16}},
    ],
}


def comparison(rows: int) -> Comparison:
    lake = MemoryObjectStore(SystemClock())
    files = list(islice(cycle(_containers()), max(1, rows // RECORDS)))
    for number, file in enumerate(files):
        lake.put(f"{DAY}/{number:08d}.avro", file)
    return Comparison(rows=rows, floor=lambda: _floor(lake), prepared=lambda: _worker(files))


def _containers() -> list[bytes]:
    codec = AvroRecordCodec()
    return [
        codec.encode("registration", [parse_record(entry.data) for entry in batch.records])
        for batch in batches(registrations(10 * RECORDS), RECORDS)
    ]


def _floor(lake: MemoryObjectStore) -> None:
    frame = fastavro.parse_schema(_HEADER)
    pieces = []
    for info in lake.list(DAY):
        source = lake.open(info.key)
        header: Any = fastavro.schemaless_reader(source, frame, None)
        json.loads(header["meta"]["avro.schema"])
        pieces.append(source.read())
    lake.put("elsewhere/merged", b"".join(pieces))


def _worker(files: list[bytes]) -> Call:
    clock = SystemClock()
    lake = MemoryObjectStore(clock)
    for number, file in enumerate(files):
        lake.put(f"{DAY}/{number:08d}.avro", file)
    worker = MergeAvroFiles(
        lake=lake,
        engine=BlockMerge(lake=lake),
        codec=AvroRecordCodec(),
        moves=Sink(),
        clock=clock,
    )
    return lambda: worker(worker.parse({"inputPrefix": "2026/09/01"}))
