"""Run a campaign: upload, invoke and wait, as operators and other systems do.

Workers do the rest.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import polars as pl

from campaign_workers.container import Container
from campaign_workers.domain import lottery
from campaign_workers.domain.campaigns import Campaign
from campaign_workers.domain.csv.rows import read_rows, write_rows
from campaign_workers.domain.preparation.wave_files import candidate_table
from campaign_workers.domain.running.triggers import INPUT_STREAM
from campaign_workers.domain.selection.options import MarketQuota, SelectionOptions
from campaign_workers.domain.selection.selection import select_fans
from campaign_workers.domain.storage import layout
from campaign_workers.entrypoints.cli.files import make_folder, write_json, write_table
from campaign_workers.entrypoints.cli.reconciliation import Reconciliation
from campaign_workers.entrypoints.cli.uploads import LISTS, Uploads, noon, partition_key
from campaign_workers.ports.entry_service import EligibleQuery

CHUNK_BYTES = 1024 * 1024
TEXTS_A_SECOND = 100
TEXTING_HOURS = {"start": "08:00", "end": "21:00", "otherwise": "email"}
MERGE_HOUR = timedelta(hours=11)


def _ignore_progress(_: str) -> None:
    """Show nothing."""


@attrs.define(kw_only=True)
class CampaignRunner:
    """Run one campaign from its uploads, step by step.

    Audit files are written to `out`; `progress` receives a line about each finished part.
    """

    container: Container
    uploads: Uploads
    out: Path
    progress: Callable[[str], None] = _ignore_progress
    campaign: Campaign = attrs.field(init=False)
    _uploaded: dict[str, str] = attrs.field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        """Read the campaign document; the steps read the other files."""
        self.campaign = self.uploads.campaign()

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the title and the function of each step, in order."""
        yield "Prepare: campaign, lists, codes", self.prepare
        yield "Fans register; each day is merged and archived", self.register
        yield "The fan club's ranks become scores", self.rank
        yield "Scored fans are scrubbed", self.score
        yield "Fans are selected for markets", self.select
        yield "Waves get their codes", self.load_waves
        yield "Waves are sent at the announced minute", self.send
        yield "The month is merged and archived", self.archive

    def prepare(self) -> None:
        """Save the campaign and load its lists and external codes."""
        self.container.campaigns.put(self.campaign)
        for name, key in LISTS.items():
            if path := self.uploads.file(name):
                self._put(key, path)
        self.container.code_pool.load(self.campaign.campaign_id, self.uploads.external_codes())

    def register(self) -> None:
        """Put the registrations on the stream, day by day."""
        runtime = self.container.runtime
        for day, lines in self.uploads.registration_days():
            runtime.advance(noon(day))
            stream = self.container.streams[INPUT_STREAM]
            stream.put((partition_key(line), line) for line in lines)
            runtime.run_until_idle()
            self.progress(f"{day:%Y-%m-%d}: {len(lines):,} registrations")
        self._sleep(days=1)

    def rank(self) -> None:
        """Upload the ranks of the fan club, if the folder has them."""
        if path := self.uploads.file("fanclub-ranks.csv"):
            key = layout.fanlist_upload_key(self.campaign.campaign_id, path.stem)
            self._upload(key, path)

    def score(self) -> None:
        """Upload the scored fans."""
        name = f"{self.campaign.campaign_id}.{self.container.clock.now():%Y%m%d%H%M%S}"
        self._upload(layout.scored_key(name), self.uploads.folder / "scored.txt")
        self._sleep(days=1)

    def select(self) -> None:
        """Upload the market details, prepare the wave files, and export the audit files."""
        details = layout.market_details_key(self.campaign.campaign_id, self.date_key)
        self._upload(details, self.uploads.folder / "market-details.csv")
        self.container.runtime.invoke(
            "processSmsWaveFiles",
            {"campaignId": self.campaign.campaign_id, "dateKey": self.date_key},
        )
        export_audit_files(self.container, self.campaign.campaign_id, self.out)
        self.container.runtime.run_until_idle()

    def load_waves(self) -> None:
        """Create one wave for markets with platform codes and one for those with external codes."""
        for name, offer_codes in (("tm", True), ("external", False)):
            rows = [row for row in self._master_codes() if (row["code"] == "TM") == offer_codes]
            if rows:
                self._load_wave(f"{self.campaign.campaign_id}_{name}", rows, offer_codes)
                self.progress(f"wave {name}: {len(rows):,} registrants")

    def send(self) -> None:
        """Advance to the notify date, when the waves are sent, and one day on."""
        self.container.runtime.advance(self.notify_date)
        self._sleep(days=1)

    def archive(self) -> None:
        """Advance until the registrations of the month have been merged."""
        now = self.container.clock.now()
        next_month = (now.replace(day=1) + timedelta(days=32)).replace(day=2)
        merged = next_month.replace(hour=0, minute=0, second=0, microsecond=0) + MERGE_HOUR
        self.container.runtime.advance(merged)

    def to_file_names(self, text: str) -> str:
        """Return the text with object keys replaced by the names of the uploaded files."""
        for key, name in self._uploaded.items():
            text = text.replace(key, name)
        return text

    @property
    def date_key(self) -> str:
        """The name of the wave preparation."""
        return "presale-1"

    @property
    def notify_date(self) -> datetime:
        """When waves are sent: 17:00 UTC of the next day, which is daytime in North America."""
        tomorrow = self.container.clock.now().astimezone(UTC) + timedelta(days=1)
        return tomorrow.replace(hour=17, minute=0, second=0, microsecond=0)

    def _load_wave(self, wave: str, rows: list[dict[str, str]], offer_codes: bool) -> None:
        columns = tuple(rows[0])
        key = layout.wave_file_key(wave)
        self.container.scoring.put(key, write_rows(columns, rows))
        self.container.runtime.invoke(
            "generateSmsWaveCodes",
            {"waveFilePrefix": wave, "config": self._wave_config(len(rows), offer_codes)},
        )
        self.container.runtime.invoke("processScheduledWave", {"fileKey": key})
        self.container.runtime.run_until_idle()

    def _wave_config(self, registrants: int, offer_codes: bool) -> dict[str, Any]:
        return {
            "campaignId": self.campaign.campaign_id,
            "categoryId": self.campaign.category_id,
            "totalLimit": registrants,
            "generateOfferCode": offer_codes,
            "tiedToAccount": False,
            "notifyDate": f"{self.notify_date:%Y-%m-%dT%H:%M:%SZ}",
            "productId": "presale",
            "source": "campaign-workers",
            "rate": TEXTS_A_SECOND,
            "textingHours": TEXTING_HOURS,
        }

    def _master_codes(self) -> Iterator[dict[str, str]]:
        key = layout.prepped_key(self.campaign.campaign_id, self.date_key)
        with self.container.scoring.open(key) as source:
            archive = zipfile.ZipFile(io.BytesIO(source.read()))
        for name in sorted(archive.namelist()):
            if name.startswith("masterCodes/"):
                with archive.open(name) as member:
                    yield from (
                        dict(row.cells) for row in read_rows(member, file=name, required=())
                    )

    def _upload(self, key: str, path: Path) -> None:
        self._put(key, path)
        self.container.runtime.run_until_idle()

    def _put(self, key: str, path: Path) -> None:
        self.container.scoring.put(key, read_chunks(path))
        self._uploaded[key] = str(path)

    def _sleep(self, *, days: int) -> None:
        self.container.runtime.advance(self.container.clock.now() + timedelta(days=days))


def read_chunks(path: Path) -> Iterator[bytes]:
    """Yield the content of a file in chunks."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


AUDIT_FOLDER = "selection"
COLUMNS = (
    "global_user_id",
    "score",
    "raw_score",
    "market_ids",
    "verdict",
    "previously_selected",
    "phone",
)


def export_audit_files(container: Container, campaign_id: str, out: Path) -> Path:
    """Write candidates, quotas, picks and audit of the last selection, and return their folder.

    `campaign-workers verify-audit` reads them, with the seed once it is published. The picks are
    selected again, so no code may have been assigned since the selection.
    """
    *_, audit = Reconciliation(container, campaign_id).audits()
    quotas = [MarketQuota(cutoff["market_id"], cutoff["limit"]) for cutoff in audit["cutoffs"]]
    query = EligibleQuery(
        campaign_id=campaign_id, market_ids=tuple(quota.market_id for quota in quotas)
    )
    candidates = candidate_table(container.embedded.entries.eligible(query))
    options = SelectionOptions(
        campaign_id=campaign_id, seed=container.secrets.read(lottery.seed_secret_name(campaign_id))
    )
    folder = make_folder(out / AUDIT_FOLDER)
    write_table(folder / "candidates.csv", candidates.select(COLUMNS))
    write_table(
        folder / "quotas.csv",
        pl.DataFrame(
            {
                "market_id": [quota.market_id for quota in quotas],
                "limit": [quota.limit for quota in quotas],
            },
            schema={"market_id": pl.String, "limit": pl.Int64},
        ),
    )
    write_table(folder / "picks.csv", select_fans(candidates, quotas, options).picks)
    write_json(folder / "audit.json", audit)
    return folder
