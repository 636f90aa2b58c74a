"""transformCodeAssignments: batches of a hundred assignments that lack their user ids.

The floor reads strict JSON, hashes canonical JSON and writes JSON, one library call each.
"""

import json
from collections.abc import Sequence
from typing import Final

from benchmarks.costless import Sink, Users
from benchmarks.measuring import Call, Comparison
from benchmarks.records import batches, code_assignments, keyed
from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.running.events import StreamBatch
from campaign_workers.workers.transform_code_assignments import TransformCodeAssignments

ROWS: Final = 20_000
BATCH: Final = 100


def comparison(rows: int) -> Comparison:
    some = batches(code_assignments(rows), BATCH)
    return Comparison(rows=rows, floor=lambda: _floor(some), prepared=lambda: _worker(some))


def _floor(some: Sequence[StreamBatch]) -> None:
    stream = Sink()
    for batch in some:
        put = []
        for entry in batch.records:
            record, key = keyed(entry.data)
            record |= {"userId": "u", "created": "2026-09-20T00:00:00Z", "dedupeKey": key}
            data = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
            put.append((record["code"], data))
        stream.put(put)


def _worker(some: Sequence[StreamBatch]) -> Call:
    worker = TransformCodeAssignments(
        users=Users(),
        campaigns=FakeCampaignService(DictTables()),
        selections=Sink(),
        lake=MemoryObjectStore(SystemClock()),
    )
    return lambda: [worker(batch) for batch in some]
