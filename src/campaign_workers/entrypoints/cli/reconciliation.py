"""Reconciliation of a campaign: compare what workers reported with what storage contains."""

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
    """A figure that workers reported, and the actual one; they must be equal."""

    title: str
    reported: int
    actual: int

    @property
    def holds(self) -> bool:
        """Whether they are equal."""
        return self.reported == self.actual


@attrs.frozen
class Reconciliation:
    """The figures of a campaign that ran in `container`."""

    container: Container
    campaign_id: str

    def checks(self) -> tuple[Check, ...]:
        """Return every check, in the order of the campaign."""
        return tuple(Check(title, *figures(self)) for title, figures in _CHECKS)

    def reported_count(self, worker: str, count: str) -> int:
        """Return the sum of a count over all runs of a worker."""
        return sum(run["count"].get(count, 0) for run in self.results(worker))

    def results(self, worker: str) -> Iterator[dict[str, Any]]:
        """Yield the reports of all runs of a worker, oldest first."""
        return (run.result for run in self.container.journal.runs() if run.worker == worker)

    def waves(self) -> dict[str, dict[str, Any]]:
        """Return the last report of each wave by config key; it counts the whole wave."""
        return {result["configKey"]: result for result in self.results("smsWaveSend")}

    def lake_records(self) -> Counter[str]:
        """Count the records in the lake by type, without archived copies."""
        found: Counter[str] = Counter()
        archive = layout.archived_key("avro/")
        for info in self.container.lake.list("avro/"):
            if not info.key.startswith(archive):
                with closing(self.container.lake.open(info.key)) as source:
                    described = self.container.codec.describe(source)
                found[described.record_type] += described.records
        return found

    def rejected_lines(self, worker: str) -> int:
        """Count the rejected records that a worker saved."""
        return sum(
            len(self._read(self.container.lake, info.key).splitlines())
            for info in self.container.lake.list(f"rejected/{worker}/")
        )

    def rows(self, prefix: str) -> Iterator[dict[str, str]]:
        """Yield the rows of the CSV files under a prefix of the bucket `scoring`."""
        for info in self.container.scoring.list(prefix):
            text = self._read(self.container.scoring, info.key).decode("utf-8-sig")
            yield from csv.DictReader(io.StringIO(text, newline=""))

    def archives(self) -> Iterator[zipfile.ZipFile]:
        """Yield the archives of the campaign's wave preparations."""
        for info in self.container.scoring.list(f"wavePrep/{self.campaign_id}/prepped/"):
            yield zipfile.ZipFile(io.BytesIO(self._read(self.container.scoring, info.key)))

    def audits(self) -> Iterator[dict[str, Any]]:
        """Yield the audit of each selection."""
        return (json.loads(archive.read("audit.json")) for archive in self.archives())

    def master_codes(self) -> Iterator[dict[str, str]]:
        """Yield every pick with its code."""
        for archive in self.archives():
            for name in sorted(archive.namelist()):
                if name.startswith("masterCodes/"):
                    text = archive.read(name).decode("utf-8-sig")
                    yield from csv.DictReader(io.StringIO(text, newline=""))

    def _read(self, bucket: Any, key: str) -> bytes:
        with closing(bucket.open(key)) as source:
            content: bytes = source.read()
        return content


def _balanced_runs(figures: Reconciliation) -> tuple[int, int]:
    runs = list(figures.container.journal.runs())
    sound = [
        run for run in runs if not Report(worker=run.worker, counts=run.result["count"]).imbalances
    ]
    return len(runs), len(sound)


def _stream_records(figures: Reconciliation) -> tuple[int, int]:
    put = sum(figures.container.embedded.streams[stream].depth() for stream in LAKE_STREAMS)
    return figures.reported_count("saveCampaignData", "in"), put


def _lake_records(figures: Reconciliation) -> tuple[int, int]:
    return figures.reported_count("saveCampaignData", "out"), figures.lake_records().total()


def _rejected_records(figures: Reconciliation) -> tuple[int, int]:
    workers = ("saveCampaignData", "transformCodeAssignments", "saveSelection")
    reported = sum(figures.reported_count(worker, "rejected") for worker in workers)
    return reported, sum(figures.rejected_lines(worker) for worker in workers)


def _scrubbed_rows(figures: Reconciliation) -> tuple[int, int]:
    return figures.reported_count("processScoredFiles", "in"), sum(
        1 for _ in figures.rows("scrubbed/")
    )


def _picks(figures: Reconciliation) -> tuple[int, int]:
    taken = sum(cutoff["taken"] for audit in figures.audits() for cutoff in audit["cutoffs"])
    return taken, sum(1 for _ in figures.master_codes())


def _wave_registrants(figures: Reconciliation) -> tuple[int, int]:
    waves = sum(1 for _ in figures.rows("smsWaves/csv/"))
    return figures.reported_count("generateSmsWaveCodes", "out"), waves


def _external_codes(figures: Reconciliation) -> tuple[int, int]:
    codes = [row["code"] for row in figures.rows("smsWaves/csv/") if is_external(row["code"])]
    return len(codes), len(set(codes))


def _texts(figures: Reconciliation) -> tuple[int, int]:
    reported = sum(result["count"]["sms"] for result in figures.waves().values())
    return reported, sum(figures.container.embedded.sms.counts().values())


def _emails(figures: Reconciliation) -> tuple[int, int]:
    reported = sum(result["count"]["email"] for result in figures.waves().values())
    return reported, figures.container.embedded.queues[EMAIL_QUEUE].depth()


def _notifications(figures: Reconciliation) -> tuple[int, int]:
    reported = sum(result["count"]["total"] for result in figures.waves().values())
    return reported, sum(1 for _ in figures.rows("smsWaves/csv/"))


def _dead_letters(figures: Reconciliation) -> tuple[int, int]:
    return 0, len(figures.container.journal.dead_letters())


_CHECKS: tuple[tuple[str, Callable[[Reconciliation], tuple[int, int]]], ...] = (
    ("runs whose counts add up", _balanced_runs),
    ("records on the lake's streams", _stream_records),
    ("records in the lake", _lake_records),
    ("rejected records, saved with their reason", _rejected_records),
    ("rows of the scrubbed files", _scrubbed_rows),
    ("picks with a code", _picks),
    ("registrants of the wave files", _wave_registrants),
    ("external codes, each assigned to one fan", _external_codes),
    ("registrants with a final outcome", _notifications),
    ("texts that the SMS service accepted", _texts),
    ("e-mails in the queue", _emails),
    ("dead letters", _dead_letters),
)
