"""saveSelection: batches of a hundred assignments.

The floor reads strict JSON, hashes canonical JSON, makes the requests and writes the messages.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.costless import Demand, Entries, Sink
from benchmarks.measuring import Call, Comparison
from benchmarks.records import batches, code_assignments, keyed
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.codes import Assignment
from campaign_workers.domain.running.events import StreamBatch
from campaign_workers.ports.tables import SelectedEvent
from campaign_workers.workers.save_selection import SaveSelection

ROWS: Final = 20_000
BATCH: Final = 100


def comparison(rows: int) -> Comparison:
    some = batches(code_assignments(rows), BATCH)
    return Comparison(rows=rows, floor=lambda: _floor(some), prepared=lambda: _worker(some))


def _floor(some: Sequence[StreamBatch]) -> None:
    for batch in some:
        records = [keyed(entry.data)[0] for entry in batch.records]
        for record in records:
            fan, code, created = record["globalUserId"], record["code"], record["created"]
            Assignment(global_user_id=fan, code=code, market_id="nyc", created=created)
            SelectedEvent(code=code, date=created.isoformat())
        json.dumps([{"globalUserId": r["globalUserId"], "marketId": "nyc"} for r in records])


def _worker(some: Sequence[StreamBatch]) -> Call:
    neighbours: dict[str, Any] = {"entries": Entries(), "demand": Demand()}
    worker = SaveSelection(
        **neighbours,
        verdicts=Sink(),
        lake=MemoryObjectStore(SystemClock()),
    )
    return lambda: [worker(batch) for batch in some]
