"""loadCodeAssignmentsToStream: the rows of a triggered wave.

The floor parses the file with Polars and applies the expressions that encode.
"""

from typing import Final

import polars as pl

from benchmarks.costless import Sink
from benchmarks.measuring import Call, Comparison
from benchmarks.wave_uploads import WAVE, wave_config, wave_file
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.records.columns import record_lines
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.storage import layout
from campaign_workers.testing.builders import CAMPAIGN, CREATED
from campaign_workers.workers.load_code_assignments_to_stream import LoadCodeAssignmentsToStream

ROWS: Final = 200_000
KEY: Final = layout.wave_config_key(WAVE, layout.WaveState.TRIGGERED)


def comparison(rows: int) -> Comparison:
    file = wave_file(rows)
    return Comparison(rows=rows, floor=lambda: _floor(file), prepared=lambda: _worker(file, rows))


def _floor(file: bytes) -> None:
    rows = pl.read_csv(file, infer_schema=False)
    fields = rows.select(
        "globalUserId",
        "memberId",
        "marketId",
        "code",
        campaignId=pl.lit(CAMPAIGN),
        categoryId=pl.lit(4711),
    )
    lines = record_lines(fields, "codeAssignment", CREATED)
    list(zip(rows["code"].to_list(), lines["line"].to_list(), strict=True))


def _worker(file: bytes, rows: int) -> Call:
    scoring = MemoryObjectStore(SystemClock())
    scoring.put(layout.wave_file_key(WAVE), file)
    scoring.put(KEY, wave_config(rows))
    worker = LoadCodeAssignmentsToStream(scoring=scoring, inputs=Sink())
    return lambda: worker(ObjectCreated(bucket="scoring", key=KEY))
