"""A campaign with everything a wave preparation needs, on memory adapters and fakes."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from campaign_workers.adapters.archive.stream_zip import StreamZip
from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
from campaign_workers.adapters.fakes.codes import FakeCodeService
from campaign_workers.adapters.fakes.entries import FakeEntryService
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.system import MemorySecrets
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.running.reports import Report
from campaign_workers.testing.builders import batch, campaign, registration, scoring
from campaign_workers.workers.process_sms_wave_files import ProcessSmsWaveFiles

NOW: Final = datetime(2026, 10, 1, 12, tzinfo=UTC)
REQUEST: Final = {"campaignId": "tour", "dateKey": "2026-10-01"}
DETAILS: Final = "wavePrep/tour/data/2026-10-01.csv"
STATUS: Final = "wavePrep/tour/status/2026-10-01.json"
ARCHIVE: Final = "wavePrep/tour/prepped/prepped.2026-10-01.zip"
TWO_MARKETS: Final = (
    "marketId,marketName,ticketType,limit,link,smsText\n"
    "nyc,New York,TM,2,https://t.example/nyc,In! {code}\n"
    "chi,Chicago,NON_TM,2,https://t.example/chi,In! {code}\n"
)
FANS: Final[Mapping[str, tuple[float, list[str]]]] = {
    "g1": (0.9, ["nyc", "chi"]),
    "g2": (0.8, ["nyc", "chi"]),
    "g3": (0.7, ["nyc", "chi"]),
    "g4": (0.6, ["chi"]),
    "g5": (0.5, ["chi"]),
}
POOL: Final = ("EXT1", "EXT2", "EXT3", "EXT4")


@attrs.define
class WavePrepScene:
    """The ports of the worker, wrapped by the test, and the adapters behind them."""

    wrap: Callable[[Any], Any] = lambda port: port
    clock: SteppedClock = attrs.field(factory=lambda: SteppedClock(NOW))
    tables: DictTables = attrs.field(factory=DictTables)
    secrets: MemorySecrets = attrs.field(factory=MemorySecrets)
    scoring: MemoryObjectStore = attrs.field(init=False)
    campaigns: FakeCampaignService = attrs.field(init=False)
    codes: FakeCodeService = attrs.field(init=False)
    entries: FakeEntryService = attrs.field(init=False)
    lease: timedelta = timedelta(minutes=15)

    def __attrs_post_init__(self) -> None:
        """Build the adapters and a campaign with the markets nyc (TM) and chi (NON_TM)."""
        self.scoring = MemoryObjectStore(self.clock)
        self.campaigns = FakeCampaignService(self.tables)
        self.codes = FakeCodeService(self.tables, self.clock)
        self.entries = FakeEntryService(self.tables, self.clock, page_size=2)
        self.campaigns.put(campaign())
        self.secrets.write("campaigns/tour/lottery-seed", "s3cret")

    def run(self, **options: Any) -> Report:
        """Prepare the wave."""
        worker = ProcessSmsWaveFiles(
            scoring=self.wrap(self.scoring),
            campaigns=self.wrap(self.campaigns),
            codes=self.wrap(self.codes),
            entries=self.wrap(self.entries),
            secrets=self.wrap(self.secrets),
            zips=StreamZip(),
            clock=self.clock,
            lease=self.lease,
        )
        return worker(worker.parse(REQUEST | options))

    def fan(self, name: str, score: float, markets: Sequence[str], **facts: Any) -> None:
        """Register and score a fan."""
        registered = {"marketIds": list(markets), "phone": "+12125550162", **facts}
        records = [registration(name, **registered), scoring(name, score=score, marketIds=[])]
        self.entries.consume(batch(records))

    def status(self) -> dict[str, Any]:
        """Return the status object."""
        return json.loads(self.scoring.open(STATUS).read())

    def files(self) -> dict[str, str]:
        """Return the files of the archive."""
        with zipfile.ZipFile(io.BytesIO(self.scoring.open(ARCHIVE).read())) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}

    def rows(self, name: str) -> list[dict[str, str]]:
        """Return the rows of a CSV file of the archive."""
        return list(csv.DictReader(io.StringIO(self.files()[name])))

    def cells(self, name: str, *columns: str) -> list[tuple[str, ...]]:
        """Return some columns of a file of the archive."""
        return [tuple(row[column] for column in columns) for row in self.rows(name)]

    def pool(self) -> dict[str, str | None]:
        """Return the reserved codes with their reservations."""
        rows = [row for _, row in self.tables("codes").scan()]
        return {row["code"]: row.get("reserve_id") for row in rows if row.get("reserve_id")}


def prepare_scene(
    details: str | bytes = TWO_MARKETS,
    fans: Mapping[str, tuple[float, list[str]]] = FANS,
    pool: Iterable[str] = POOL,
    wrap: Callable[[Any], Any] = lambda port: port,
) -> WavePrepScene:
    """Return a scene with market details, fans and a pool of codes."""
    scene = WavePrepScene(wrap=wrap)
    scene.scoring.put(DETAILS, details if isinstance(details, bytes) else details.encode())
    for name, (score, markets) in fans.items():
        scene.fan(name, score, markets)
    scene.codes.load("tour", pool)
    return scene
