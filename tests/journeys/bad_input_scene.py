"""A small campaign with errors, and everything that is reported about them."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import attrs

from campaign_workers.container import Container
from campaign_workers.domain import lottery
from campaign_workers.domain.csv.rows import read_rows
from campaign_workers.domain.errors import CampaignError
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import INPUT_STREAM, VF_INPUT_STREAM
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import CAMPAIGN_DATA, SCORING
from campaign_workers.settings import Settings
from campaign_workers.testing.builders import CAMPAIGN, campaign, registration, scoring

STARTS: Final = datetime(2026, 9, 1, tzinfo=UTC)
WAVE: Final = f"{CAMPAIGN}_first"

PERSON: Final = {
    "email": "planted@planted-mail.example",
    "phone": "+12125550147",
    "firstName": "Plantedine",
    "lastName": "Plantedson",
}
CODES: Final = ("PLANTED001", "PLANTED002", "PLANTED003")
SEED: Final = "planted-seed"

PLANTED: Final = re.compile("planted|5550147", re.IGNORECASE)
"""Matches every address, number, name, code and seed of this campaign, and nothing else."""


@attrs.define
class Scene:
    """The campaign `tour` with two fans who registered and scored, on memory adapters."""

    container: Container = attrs.field(init=False)
    raised: list[str] = attrs.field(factory=list)
    """The errors that callers received."""

    def __attrs_post_init__(self) -> None:
        """Create the campaign and register the two fans."""
        settings = Settings(profile="memory", dir=Path("no-such-folder"))
        self.container = Container("memory", settings=settings, starts=STARTS)
        self.container.campaigns.put(campaign(stats_channels=("#tour",), category_id=77))
        self.container.embedded.secrets.write(lottery.seed_secret_name(CAMPAIGN), SEED)
        self.container.code_pool.load(CAMPAIGN, CODES)
        wishes = {"g1": ["nyc"], "g2": ["chi"]}
        people = [registration(fan, **PERSON, marketIds=wish) for fan, wish in wishes.items()]
        self.send(INPUT_STREAM, *people)
        self.send(VF_INPUT_STREAM, *(scoring(fan, marketIds=[]) for fan in wishes))

    # --- what people and other systems do ---

    def upload(self, key: str, content: bytes, *, bucket: str = SCORING) -> None:
        """Write an object and run everything that it triggers."""
        self.container.buckets[bucket].put(key, content)
        self.run()

    def send(self, stream: str, *records: Mapping[str, Any] | bytes) -> None:
        """Put records, or bytes as they are, onto a stream and run everything that they trigger."""
        lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in records]
        self.container.streams[stream].put((f"key-{len(line)}", line) for line in lines)
        self.run()

    def invoke(self, worker: str, payload: Any) -> Report | None:
        """Call a worker as its caller does; None if the caller got an error."""
        try:
            report = self.container.runtime.invoke(worker, payload)
        except CampaignError as why:
            self.raised.append(f"{type(why).__name__}: {why}")
            return None
        finally:
            self.run()
        return report

    def run(self) -> None:
        """Run until idle."""
        self.container.runtime.run_until_idle()

    def wait(self, **time: float) -> None:
        """Advance the clock; schedules fire."""
        self.container.runtime.advance(self.container.clock.now() + timedelta(**time))

    # --- what can be seen ---

    def dead_letters(self) -> list[tuple[str, str]]:
        """Return worker and reason of each dead letter."""
        return [(letter.worker, letter.reason) for letter in self.container.journal.dead_letters()]

    def results(self, worker: str) -> list[dict[str, Any]]:
        """Return the results of a worker, oldest first."""
        return [run.result for run in self.container.journal.runs() if run.worker == worker]

    def counts(self, worker: str) -> dict[str, int] | None:
        """Return the counts of a worker's last result, None if there is none."""
        return next((result["count"] for result in reversed(self.results(worker))), None)

    def imbalances(self) -> list[str]:
        """Return the imbalances of all reports."""
        runs = self.container.journal.runs()
        reports = [Report(worker=run.worker, counts=run.result["count"]) for run in runs]
        return [line for report in reports if report.counts for line in report.imbalances]

    def read(self, key: str, bucket: str = SCORING) -> bytes:
        """Return the content of an object."""
        with closing(self.container.buckets[bucket].open(key)) as source:
            content: bytes = source.read()
        return content

    def keys(self, prefix: str, bucket: str = SCORING) -> list[str]:
        """Return the keys under a prefix."""
        return [info.key for info in self.container.buckets[bucket].list(prefix)]

    def rejected(self, worker: str) -> list[dict[str, Any]]:
        """Return the rejected records of a stream worker."""
        keys = self.keys(f"rejected/{worker}/", CAMPAIGN_DATA)
        return [json.loads(x) for key in keys for x in self.read(key, CAMPAIGN_DATA).splitlines()]

    def wave_errors(self, wave: str = WAVE) -> list[tuple[str, str, str]]:
        """Return worker, fan and reason of the rows in a wave's errors file."""
        key = layout.wave_errors_key(wave)
        rows = read_rows([self.read(key)], file=key, required=[]) if self.keys(key) else iter(())
        names = ("worker", "globalUserId", "reason")
        return [tuple(row.cells[name] for name in names) for row in rows]  # type: ignore[misc]

    def reported_problems(self) -> list[str]:
        """Return every reported problem: to callers, in dead letters and in files."""
        return [
            *self.raised,
            *(reason for _, reason in self.dead_letters()),
            *(line["reason"] for worker in _STREAM_WORKERS for line in self.rejected(worker)),
            *(reason for key in self.keys("smsWaves/errors/") for reason in self._reasons(key)),
            *(
                said
                for key in self.keys("")
                if key.endswith(".json")
                for said in self._failures(key)
            ),
        ]

    def visible_texts(self) -> Iterator[str]:
        """Yield everything that is shown outside the campaign's own files."""
        yield from self.reported_problems()
        for letter in self.container.journal.dead_letters():
            yield json.dumps(letter.wire())
        for run in self.container.journal.runs():
            yield json.dumps(attrs.asdict(run))
        for post in self.container.embedded.chat.posts():
            yield f"{post.text} {json.dumps(post.blocks)}"
        yield repr(self.container.metrics)

    def _reasons(self, key: str) -> list[str]:
        return [row.cells["reason"] for row in read_rows([self.read(key)], file=key, required=[])]

    def _failures(self, key: str) -> Iterator[str]:
        """Yield the failures in a status, a manifest or the config of a failed wave."""
        try:
            document = json.loads(self.read(key))
        except ValueError:
            return
        files = document.get("files", {}) if isinstance(document, dict) else {}
        for part in (document, *files.values()):
            if isinstance(part, dict):
                yield from (part[name] for name in ("reason", "lastFailure") if name in part)


_STREAM_WORKERS: Final = ("saveCampaignData", "transformCodeAssignments", "saveSelection")
