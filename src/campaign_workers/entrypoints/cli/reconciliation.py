"""The books of a campaign: what workers told beside what lies in buckets, streams and queues."""

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import attrs

from campaign_workers.container import Container
from campaign_workers.domain.codes import is_external
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import (
    EMAIL_QUEUE,
    FANLIST_RANKS_STREAM,
    INPUT_STREAM,
    VF_INPUT_STREAM,
)
from campaign_workers.domain.storage import layout

LAKE_STREAMS = (INPUT_STREAM, VF_INPUT_STREAM, FANLIST_RANKS_STREAM)


@attrs.frozen
class Check:
    """Two figures that must be equal: what workers told, and what is there."""

    title: str
    reported: int
    actual: int

    @property
    def holds(self) -> bool:
        """Whether they are."""
        return self.reported == self.actual


@attrs.frozen
class Reconciliation:
    """Figures of a campaign that ran in `container`."""

    container: Container
    campaign_id: str

    def checks(self) -> tuple[Check, ...]:
        """Every check, in the order of the campaign."""
        return tuple(Check(title, *figures(self)) for title, figures in _CHECKS)

    def reported(self, worker: str, count: str) -> int:
        """Sum of a count over all runs of a worker."""
        return sum(run["count"].get(count, 0) for run in self.results(worker))

    def results(self, worker: str) -> Iterator[dict[str, Any]]:
        """Results of all runs of a worker, oldest first."""
        return (run.result for run in self.container.journal.runs() if run.worker == worker)

    def waves(self) -> dict[str, dict[str, Any]]:
        """The last result of each wave, by its config's key: totals are of the whole wave."""
        return {result["configKey"]: result for result in self.results("smsWaveSend")}

    def lake_records(self) -> Counter[str]:
        """Records in the lake by type, archived copies apart."""
        found: Counter[str] = Counter()
        archive = layout.archived_key("avro/")
        for info in self.container.lake.list("avro/"):
            if not info.key.startswith(archive):
                with closing(self.container.lake.open(info.key)) as source:
                    described = self.container.codec.describe(source)
                found[described.record_type] += described.records
        return found

    def rejected_lines(self, worker: str) -> int:
        """Records that a stream worker turned away and kept."""
        return sum(
            len(self._read(self.container.lake, info.key).splitlines())
            for info in self.container.lake.list(f"rejected/{worker}/")
        )

    def rows(self, prefix: str) -> Iterator[dict[str, str]]:
        """Rows of the CSV files of the scoring bucket under a prefix."""
        for info in self.container.scoring.list(prefix):
            text = self._read(self.container.scoring, info.key).decode("utf-8-sig")
            yield from csv.DictReader(io.StringIO(text, newline=""))

    def archives(self) -> Iterator[zipfile.ZipFile]:
        """The archives of the campaign's wave preparations."""
        for info in self.container.scoring.list(f"wavePrep/{self.campaign_id}/prepped/"):
            yield zipfile.ZipFile(io.BytesIO(self._read(self.container.scoring, info.key)))

    def audits(self) -> Iterator[dict[str, Any]]:
        """What the archives say of their selections."""
        return (json.loads(archive.read("audit.json")) for archive in self.archives())

    def master_codes(self) -> Iterator[dict[str, str]]:
        """Every pick with its code."""
        for archive in self.archives():
            for name in sorted(archive.namelist()):
                if name.startswith("masterCodes/"):
                    text = archive.read(name).decode("utf-8-sig")
                    yield from csv.DictReader(io.StringIO(text, newline=""))

    def _read(self, bucket: Any, key: str) -> bytes:
        with closing(bucket.open(key)) as source:
            content: bytes = source.read()
        return content


def _equations(figures: Reconciliation) -> tuple[int, int]:
    runs = list(figures.container.journal.runs())
    sound = [
        run for run in runs if not Report(worker=run.worker, counts=run.result["count"]).imbalances
    ]
    return len(runs), len(sound)


def _streamed(figures: Reconciliation) -> tuple[int, int]:
    put = sum(figures.container.embedded.streams[stream].depth() for stream in LAKE_STREAMS)
    return figures.reported("saveCampaignData", "in"), put


def _stored(figures: Reconciliation) -> tuple[int, int]:
    return figures.reported("saveCampaignData", "out"), figures.lake_records().total()


def _turned_away(figures: Reconciliation) -> tuple[int, int]:
    workers = ("saveCampaignData", "transformCodeAssignments", "saveSelection")
    reported = sum(figures.reported(worker, "rejected") for worker in workers)
    return reported, sum(figures.rejected_lines(worker) for worker in workers)


def _scrubbed(figures: Reconciliation) -> tuple[int, int]:
    return figures.reported("processScoredFiles", "in"), sum(1 for _ in figures.rows("scrubbed/"))


def _picked(figures: Reconciliation) -> tuple[int, int]:
    taken = sum(cutoff["taken"] for audit in figures.audits() for cutoff in audit["cutoffs"])
    return taken, sum(1 for _ in figures.master_codes())


def _loaded(figures: Reconciliation) -> tuple[int, int]:
    waves = sum(1 for _ in figures.rows("smsWaves/csv/"))
    return figures.reported("generateSmsWaveCodes", "out"), waves


def _unique(figures: Reconciliation) -> tuple[int, int]:
    codes = [row["code"] for row in figures.rows("smsWaves/csv/") if is_external(row["code"])]
    return len(codes), len(set(codes))


def _texted(figures: Reconciliation) -> tuple[int, int]:
    reported = sum(result["count"]["sms"] for result in figures.waves().values())
    return reported, sum(figures.container.embedded.sms.counts().values())


def _mailed(figures: Reconciliation) -> tuple[int, int]:
    reported = sum(result["count"]["email"] for result in figures.waves().values())
    return reported, figures.container.embedded.queues[EMAIL_QUEUE].depth()


def _wave_rows(figures: Reconciliation) -> tuple[int, int]:
    reported = sum(result["count"]["total"] for result in figures.waves().values())
    return reported, sum(1 for _ in figures.rows("smsWaves/csv/"))


def _given_up(figures: Reconciliation) -> tuple[int, int]:
    return 0, len(figures.container.journal.dead_letters())


_CHECKS: tuple[tuple[str, Callable[[Reconciliation], tuple[int, int]]], ...] = (
    ("runs whose counts add up", _equations),
    ("records on the lake's streams", _streamed),
    ("records in the lake", _stored),
    ("rejected records, kept with their reason", _turned_away),
    ("rows of the scrubbed files", _scrubbed),
    ("picks with a code", _picked),
    ("registrants of the wave files", _loaded),
    ("external codes, each of one fan", _unique),
    ("registrants who were notified or are known to have failed", _wave_rows),
    ("texts that the SMS service accepted", _texted),
    ("e-mails in the queue", _mailed),
    ("work given up on", _given_up),
)
