"""translateRanksToScores on memory adapters, with uploads to build and results to read."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.streams import MemoryRecordStream
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import FANLIST_RANKS_STREAM
from campaign_workers.testing.builders import campaign
from campaign_workers.workers.translate_ranks_to_scores import TranslateRanksToScores

UPLOAD: Final = "fanlist/uploaded/tour/club.csv"
SCORED: Final = "fanlist/scored/tour/club.csv"
MANIFEST: Final = "fanlist/uploaded/tour/manifest.json"
LIST: Final = (
    "rank,globalUserId,memberId,email\n1,g1,m1,Ada@Mail.Example\n2,,m2,\n4,,,z@mail.example\n"
)


@attrs.define
class Scene:
    """The ports of the worker; a test may wrap them."""

    wrap: Callable[[Any], Any] = lambda port: port
    clock: SteppedClock = attrs.field(
        factory=lambda: SteppedClock(datetime(2026, 9, 20, tzinfo=UTC))
    )
    scoring: MemoryObjectStore = attrs.field(init=False)
    campaigns: FakeCampaignService = attrs.field(factory=lambda: FakeCampaignService(DictTables()))
    stream: MemoryRecordStream = attrs.field(init=False)
    largest: int = 10**9

    def __attrs_post_init__(self) -> None:
        """Add a campaign whose ranks are scored linearly."""
        self.scoring = MemoryObjectStore(self.clock)
        self.stream = MemoryRecordStream(clock=self.clock, name=FANLIST_RANKS_STREAM)
        self.campaigns.put(campaign(scoring_type="linear"))

    def upload(self, content: str | bytes, key: str = UPLOAD) -> ObjectCreated:
        """Put a file and return the event of the upload."""
        body = content if isinstance(content, bytes) else content.encode()
        etag = self.scoring.put(key, body).etag
        return ObjectCreated(bucket="scoring", key=key, etag=etag)

    def run(self, event: ObjectCreated) -> Report:
        """Call the worker."""
        worker = TranslateRanksToScores(
            scoring=self.wrap(self.scoring),
            campaigns=self.wrap(self.campaigns),
            ranks=self.wrap(self.stream),
            clock=self.clock,
            max_bytes=self.largest,
        )
        return worker(event)

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the stream by rank."""
        lines = [
            json.loads(record.data)
            for shard in self.stream.shards()
            for record in self.stream.read(shard, after=None, limit=10**6)
        ]
        return sorted(lines, key=lambda line: line["rank"])

    def scored_rows(self) -> list[dict[str, str]]:
        """Return the rows of the scored copy."""
        return list(csv.DictReader(io.StringIO(self.scoring.open(SCORED).read().decode())))

    def manifest(self) -> dict[str, Any]:
        """Return the entries of the manifest by file."""
        return json.loads(self.scoring.open(MANIFEST).read())["files"]


def translate_file(content: str | bytes) -> Scene:
    scene = Scene()
    report = scene.run(scene.upload(content))
    assert not report.imbalances
    return scene
