"""translateRanksToScores: a fan list.

The floor parses the file with Polars and applies the expressions that decide and encode.
"""

from typing import Final

import polars as pl

from benchmarks.costless import Sink
from benchmarks.measuring import Call, Comparison
from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.fanlists import score_fanlist
from campaign_workers.domain.ranks import RankFormula
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.testing.builders import CAMPAIGN, CREATED, campaign
from campaign_workers.workers.translate_ranks_to_scores import TranslateRanksToScores

ROWS: Final = 300_000
KEY: Final = f"fanlist/uploaded/{CAMPAIGN}/club.csv"


def comparison(rows: int) -> Comparison:
    file = _file(rows)
    return Comparison(rows=rows, floor=lambda: _floor(file), prepared=lambda: _worker(file))


def _file(rows: int) -> bytes:
    row = pl.int_range(rows, eager=True).alias("row")
    number = row.cast(pl.String).str.zfill(8)
    cells = pl.DataFrame({"rank": row // 2 + 1, "globalUserId": "g-" + number})
    return cells.with_columns(email=pl.lit("Fan.") + number + "@Mail.example").write_csv().encode()


def _floor(file: bytes) -> None:
    rows = pl.read_csv(file, infer_schema=False, empty_string_is_null=False)
    fanlist = score_fanlist(rows.columns, [rows], RankFormula.parse("linear"))
    records = fanlist.to_records(CAMPAIGN, CREATED)
    list(zip(records["partition_key"].to_list(), records["line"].to_list(), strict=True))
    fanlist.scored_copy()[1].write_csv().encode()


def _worker(file: bytes) -> Call:
    clock = SystemClock()
    scoring, campaigns = MemoryObjectStore(clock), FakeCampaignService(DictTables())
    scoring.put(KEY, file)
    campaigns.put(campaign())
    worker = TranslateRanksToScores(scoring=scoring, campaigns=campaigns, ranks=Sink(), clock=clock)
    return lambda: worker(ObjectCreated(bucket="scoring", key=KEY))
