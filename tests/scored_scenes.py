"""processScoredFiles on memory adapters, with uploads to build and results to read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs

from campaign_workers.adapters.memory.streams import MemoryRecordStream
from campaign_workers.adapters.memory.system import MemorySecrets
from campaign_workers.domain.csv.rows import read_rows
from campaign_workers.domain.lottery import seed_secret_name
from campaign_workers.domain.records.record import parse_record
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import VF_INPUT_STREAM
from campaign_workers.testing.builders import campaign
from campaign_workers.workers.process_scored_files import BLOCK_BYTES, ProcessScoredFiles
from tests.worlds import World, put_entries, put_records

UPLOAD: Final = "scored/tour.20260901.txt"
SCRUBBED: Final = "scrubbed/tour.20260901.csv"
HEADER: Final = (
    "globalUserId", "memberId", "campaignId", "email", "phone", "phoneType", "phoneConfirmed",
    "score", "marketIds", "firstName",
)  # fmt: skip
FAN: Final = {
    "globalUserId": "g1",
    "memberId": "m1",
    "campaignId": "tour",
    "email": "ann@x.co",
    "phone": "+12125550123",
    "phoneType": "mobile",
    "phoneConfirmed": "2026-09-01T00:00:00Z",
    "score": "0.5",
    "marketIds": "nyc|chi",
    "firstName": "Ann",
}


def tsv(*fans: dict[str, str], columns: tuple[str, ...] = HEADER, end: str = "\n") -> str:
    """Return a file of fans who are like `FAN` except for the given cells."""
    lines = [columns, *([{**FAN, **fan}[name] for name in columns] for fan in fans)]
    return "".join(f"{chr(9).join(line)}{end}" for line in lines)


@attrs.define
class Scene:
    """The ports of the worker; a test may wrap them."""

    wrap: Callable[[Any], Any] = lambda port: port
    block: int = BLOCK_BYTES
    spool_dir: Path | None = None
    world: World = attrs.field(factory=World)
    secrets: MemorySecrets = attrs.field(factory=MemorySecrets)
    stream: MemoryRecordStream = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Add a campaign with a seed and a channel."""
        self.stream = MemoryRecordStream(clock=self.world.clock, name=VF_INPUT_STREAM)
        self.add_campaign("tour", stats_channels=("#tour",))

    def add_campaign(self, campaign_id: str, *, seed: str | None = "s", **fields: Any) -> None:
        """Add a campaign with its lottery seed."""
        self.world.campaigns.put(campaign(campaign_id, **fields))
        if seed is not None:
            self.secrets.write(seed_secret_name(campaign_id), seed)

    def put(self, key: str, content: str | bytes) -> str:
        """Put an object and return its ETag."""
        body = content if isinstance(content, bytes) else content.encode()
        return self.world.scoring.put(key, body).etag

    def upload(self, content: str | bytes, key: str = UPLOAD) -> ObjectCreated:
        """Put a file of fans and return the event of the upload."""
        return ObjectCreated(bucket="scoring", key=key, etag=self.put(key, content))

    def run(self, event: ObjectCreated) -> Report:
        """Call the worker."""
        ports = {
            "scoring": self.world.scoring,
            "scorings": self.stream,
            "campaigns": self.world.campaigns,
            "secrets": self.secrets,
            "chat": self.world.chat,
        }
        worker = ProcessScoredFiles(
            **{name: self.wrap(port) for name, port in ports.items()},
            clock=self.world.clock,
            spool_dir=self.spool_dir,
            block_bytes=self.block,
        )
        report = worker(event)
        assert not report.imbalances
        return report

    def scrubbed_rows(self, key: str = SCRUBBED) -> list[dict[str, str]]:
        """Return the rows of the scrubbed file, unguarded."""
        source = self.world.scoring.open(key)
        return [row.cells for row in read_rows(source, file=key, required=())]

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the stream by fan, after validating each of them."""
        for entry in put_entries(self.stream):
            record = parse_record(entry.data)
            assert entry.partition_key == record.fields["globalUserId"]
        return sorted(put_records(self.stream), key=lambda record: record["globalUserId"])


def scrub_file(*fans: dict[str, str]) -> Scene:
    """Return a scene after a file of these fans was scrubbed."""
    scene = Scene()
    scene.run(scene.upload(tsv(*fans)))
    return scene
