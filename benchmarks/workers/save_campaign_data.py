"""saveCampaignData: batches of a thousand registrations.

The floor reads strict JSON, hashes canonical JSON and writes Avro, one library call each.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

import fastavro

from benchmarks.measuring import Call, Comparison
from benchmarks.records import batches, keyed, registrations
from campaign_workers.adapters.avro.codec import AvroRecordCodec
from campaign_workers.adapters.avro.schemas import current_schema
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.running.events import StreamBatch
from campaign_workers.workers.save_campaign_data import SaveCampaignData

ROWS: Final = 20_000
BATCH: Final = 1_000
_SCHEMA: Final = dict(current_schema("registration"))


def comparison(rows: int) -> Comparison:
    some = batches(registrations(rows), BATCH)
    return Comparison(rows=rows, floor=lambda: _floor(some), prepared=lambda: _worker(some))


def _floor(some: Sequence[StreamBatch]) -> None:
    for batch in some:
        rows: list[Any] = []
        for entry in batch.records:
            record, key = keyed(entry.data)
            record["dedupeKey"] = key
            rows.append(record)
        fastavro.writer(BytesIO(), _SCHEMA, rows, codec="deflate", sync_interval=64_000)


def _worker(some: Sequence[StreamBatch]) -> Call:
    worker = SaveCampaignData(lake=MemoryObjectStore(SystemClock()), codec=AvroRecordCodec())
    return lambda: [worker(batch) for batch in some]
