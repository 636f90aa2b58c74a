"""A process that is killed loses nothing and doubles nothing: the next one goes on."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers.container import Container
from campaign_workers.domain import lottery
from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.record import parse_record
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import INPUT_STREAM
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import CAMPAIGN_DATA
from campaign_workers.entrypoints.cli.uploads import Uploads
from campaign_workers.ports.entry_service import EligibleQuery
from campaign_workers.samples.uploads import CAMPAIGN_ID, MARKETS, generate
from campaign_workers.settings import Settings
from campaign_workers.testing.builders import registration
from campaign_workers.testing.crashes import Killed, KillSwitch
from tests.journeys.bad_input_scene import Scene
from tests.journeys.test_bad_input import READERS

RANKS: Final = READERS[1]
FANS: Final = 3000
KILLS: Final = 2


@attrs.frozen
class Folder:
    """The embedded product in a folder, run by processes that come and go."""

    path: Path

    def open(self) -> Container:
        """What the next process sees."""
        return Container("local", settings=Settings(profile="local", dir=self.path))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A process of the command line."""
        command = [sys.executable, "-m", "campaign_workers", *arguments, "--dir", str(self.path)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments: str) -> float:
        """Run a command to its end; how many seconds it took."""
        began = time.monotonic()
        process = self.start(*arguments)
        _, complaint = process.communicate(timeout=60)
        assert process.returncode == 0, complaint
        return time.monotonic() - began

    def kill(self, after: float, *arguments: str) -> None:
        """Run a command, and end it with SIGKILL after some seconds if it is not done by then."""
        process = self.start(*arguments)
        try:
            process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()

    def on_stream(self, stream: str) -> list[bytes]:
        """What was put onto a stream."""
        source = self.open().embedded.streams[stream]
        shards = (source.read(shard, after=None, limit=10**6) for shard in source.shards())
        return [record.data for records in shards for record in records]

    def in_lake(self, prefix: str = "avro/") -> Counter[str]:
        """Dedupe keys of the records under a prefix of the lake."""
        container, found = self.open(), Counter[str]()
        for info in container.lake.list(prefix):
            with closing(container.lake.open(info.key)) as source:
                found.update(record["dedupeKey"] for record in container.codec.decode(source))
        return found

    def turned_away(self) -> Counter[bytes]:
        """The records that were turned away."""
        container, found = self.open(), Counter[bytes]()
        for info in container.lake.list("rejected/"):
            with closing(container.lake.open(info.key)) as source:
                found.update(json.loads(line)["data"].encode() for line in source)
        return found

    def scrubbed(self) -> bytes:
        """The scrubbed file."""
        with closing(self.open().scoring.open(layout.scrubbed_key(f"{CAMPAIGN_ID}.1"))) as source:
            content: bytes = source.read()
        return content

    def candidates(self) -> pl.DataFrame:
        """Whom the entry service has for a selection."""
        markets = tuple(market for market, *_ in MARKETS)
        query = EligibleQuery(campaign_id=CAMPAIGN_ID, market_ids=markets)
        return pl.concat(self.open().embedded.entries.eligible(query))

    def assert_sound(self) -> None:
        """Nothing is left to do, nothing was given up, and every run's counts add up."""
        container = self.open()
        assert list(container.journal.pending_events()) == []
        assert container.journal.dead_letters() == ()
        runs = container.journal.runs()
        reports = [Report(worker=run.worker, counts=run.result["count"]) for run in runs]
        assert [line for report in reports for line in report.imbalances] == []
        assert list(self.path.glob("*/.bucket/unfinished-*")) == []


def moments(seconds: float) -> Iterator[float]:
    """When to kill a process that would take some seconds: seeded, mostly while it works."""
    rng = Random(20_260_901)
    return (seconds * rng.uniform(0.55, 1.0) for _ in range(KILLS))


def registrations(path: Path) -> Path:
    """A file of records, one in a hundred of which is wrong."""
    lines = (
        b'{"number": %d' % number
        if number % 100 == 0
        else json.dumps(registration(f"g{number}")).encode()
        for number in range(FANS)
    )
    path.write_bytes(b"\n".join(lines))
    return path


def readable(records: list[bytes]) -> tuple[Counter[str], Counter[bytes]]:
    """Dedupe keys of the records that can be read, and the others as they are."""
    keys, others = Counter[str](), Counter[bytes]()
    for data in records:
        try:
            keys[parse_record(data).dedupe_key] += 1
        except RejectRecord:
            others[data] += 1
    return keys, others


def test_killed_while_records_come_in(tmp_path: Path) -> None:
    """What is on the stream is in the lake or turned away, as often as it was put, no more."""
    file, nothing = registrations(tmp_path / "records.jsonl"), tmp_path / "nothing.jsonl"
    nothing.touch()
    clean, killed = Folder(tmp_path / "clean"), Folder(tmp_path / "killed")
    for moment in moments(clean.run("put-records", str(file))):
        killed.kill(moment, "put-records", str(file))
    killed.run("put-records", str(nothing))
    keys, others = readable(killed.on_stream(INPUT_STREAM))
    assert killed.turned_away() == others
    assert set(killed.in_lake()) == set(keys)
    assert killed.in_lake() <= keys
    killed.assert_sound()


def test_killed_while_a_file_is_scrubbed(tmp_path: Path) -> None:
    """Uploaded again, it ends in the scrubbed file, the lake and the candidates of one run."""
    generate(tmp_path / "uploads", fans=FANS, seed=7)
    scored = str(tmp_path / "uploads" / "scored.txt")
    arguments = "put", scored, layout.scored_key(f"{CAMPAIGN_ID}.1")
    clean, killed = Folder(tmp_path / "clean"), Folder(tmp_path / "killed")
    for folder in (clean, killed):
        container = folder.open()
        container.campaigns.put(Uploads(tmp_path / "uploads").campaign())
        container.embedded.secrets.write(lottery.seed_secret_name(CAMPAIGN_ID), "seed")
    for moment in moments(clean.run(*arguments)):
        killed.kill(moment, *arguments)
    killed.run(*arguments)
    killed.assert_sound()
    assert set(killed.in_lake()) == set(clean.in_lake())
    assert killed.scrubbed() == clean.scrubbed()
    assert killed.candidates().equals(clean.candidates())
    assert not clean.candidates().is_empty()


def ended(fuse: KillSwitch) -> dict[str, Any]:
    """What is seen of a runtime that the fuse ended, once another one has gone on."""
    scene = Scene()
    runtime, journal = scene.container.runtime, scene.container.journal
    records = [b"{", *(json.dumps(registration(f"g{number}")).encode() for number in range(5))]
    scene.container.streams[INPUT_STREAM].put((f"key-{data!r}", data) for data in records)
    scene.container.scoring.put(RANKS.key, RANKS.table(RANKS.rows))
    runtime.journal = fuse.wrap(journal)
    with suppress(Killed):
        runtime.run_until_idle()
    fuse.at, fuse.fired, runtime.journal = None, False, journal
    scene.send(INPUT_STREAM, registration("g8"))
    lake: dict[str, Counter[str]] = {"registration": Counter(), "scoring": Counter()}
    for key in scene.keys("avro/", CAMPAIGN_DATA):
        for record in scene.container.codec.decode(scene.container.lake.open(key)):
            lake[record["type"]][record["dedupeKey"]] += 1
    assert scene.dead_letters() == []
    return {
        "registrations": lake["registration"],
        "scores": set(lake["scoring"]),
        "rejected": len(scene.rejected("saveCampaignData")),
        "ranks": {key: scene.read(key) for key in scene.keys("fanlist/")},
    }


def test_ended_before_any_note_of_the_runtime() -> None:
    """Whichever note comes too late, the next process doubles no record and forgets none."""
    count = KillSwitch()
    clean = ended(count)
    assert count.calls > 50
    for at in range(1, count.calls + 1):
        assert ended(KillSwitch(at=at)) == clean, f"ended before note {at}"
