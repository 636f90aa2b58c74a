"""processSmsWaveFiles: half a million candidates by default, a tenth of them selected.

The floor selects, puts the files together and zips them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import polars as pl
from stream_zip import ZIP_64, stream_zip

from benchmarks.candidates import MARKETS, candidates
from benchmarks.measuring import Call, Comparison
from campaign_workers.adapters.archive.stream_zip import StreamZip
from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
from campaign_workers.adapters.fakes.codes import FakeCodeService
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.system import MemorySecrets
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.campaigns import Market, TicketType
from campaign_workers.domain.lottery import seed_secret_name
from campaign_workers.domain.preparation.request import WaveMarket
from campaign_workers.domain.preparation.wave_files import build_wave_files
from campaign_workers.domain.selection import MarketQuota, SelectionOptions, select_fans
from campaign_workers.domain.storage import layout
from campaign_workers.testing.builders import CAMPAIGN, campaign
from campaign_workers.workers.process_sms_wave_files import ProcessSmsWaveFiles

ROWS: Final = 500_000
SEED: Final = "benchmark"
PAGE: Final = 10_000
TEXT: Final = "{firstName}, your code is {code}: {link}"
LINK: Final = "https://tickets.example"


def comparison(rows: int) -> Comparison:
    fans, limit = candidates(rows), rows // 10 // len(MARKETS)
    return Comparison(
        rows=rows, floor=lambda: _floor(fans, limit), prepared=lambda: _worker(fans, limit)
    )


def _floor(fans: pl.DataFrame, limit: int) -> None:
    quotas = [MarketQuota(market, limit) for market in MARKETS]
    options = SelectionOptions(campaign_id=CAMPAIGN, seed=SEED)
    selection = select_fans(fans, quotas, options)
    markets = [_market(market, limit) for market in MARKETS]
    files = build_wave_files(selection.picks, fans, markets, {}, selection.audit)
    tables = {"TM": files.tm_emails(), "NON_TM": files.external_emails()}
    for market in MARKETS:
        tables[market] = files.registrants.filter(pl.col("market_id") == market)
        tables[f"texted {market}"] = files.text_recipients().filter(pl.col("market_id") == market)
    day = datetime(1980, 1, 1, tzinfo=UTC)
    members = (
        (name, day, 0o644, ZIP_64, [rows.write_csv().encode()]) for name, rows in tables.items()
    )
    b"".join(stream_zip(members))


def _market(market_id: str, limit: int) -> WaveMarket:
    return WaveMarket(
        market_id=market_id,
        name="City",
        ticket_type=TicketType.TM,
        limit=limit,
        link=LINK,
        sms_text=TEXT,
    )


@attrs.frozen
class _Entries:
    """An entry service that has the candidates ready, by pages."""

    fans: pl.DataFrame

    def eligible(self, _: Any) -> Iterator[pl.DataFrame]:
        return self.fans.iter_slices(PAGE)


def _worker(fans: pl.DataFrame, limit: int) -> Call:
    clock, tables, secrets = SystemClock(), DictTables(), MemorySecrets()
    scoring, campaigns = MemoryObjectStore(clock), FakeCampaignService(tables)
    campaigns.put(campaign(markets=tuple(Market(market_id=each) for each in MARKETS)))
    secrets.write(seed_secret_name(CAMPAIGN), SEED)
    lines = ["marketId,marketName,ticketType,limit,link,smsText"]
    lines += [f'{each},City,TM,{limit},{LINK},"{TEXT}"' for each in MARKETS]
    scoring.put(layout.market_details_key(CAMPAIGN, "w1"), "\n".join(lines).encode())
    entries: Any = _Entries(fans)
    worker = ProcessSmsWaveFiles(
        scoring=scoring,
        campaigns=campaigns,
        codes=FakeCodeService(tables, clock),
        entries=entries,
        secrets=secrets,
        zips=StreamZip(),
        clock=clock,
    )
    return lambda: worker(worker.parse({"campaignId": CAMPAIGN, "dateKey": "w1"}))
