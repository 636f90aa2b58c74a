"""translateRanksToScores with invalid files, concurrent runs, and kills at any call."""

import json
from collections.abc import Callable
from datetime import timedelta
from operator import itemgetter
from typing import Any

import attrs
import pytest

from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.domain.errors import BadInput, NotFound, RetryLater
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.testing.builders import campaign
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from tests.fanlist_scenes import LIST, MANIFEST, UPLOAD, Scene, translate_file
from tests.worlds import ConcurrentAction


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"position,memberId\n1,m1\n", "line 1, rank: column is missing"),
        (
            b"rank,name\n1,Ada\n",
            "line 1, globalUserId, memberId, email: expected at least one of these",
        ),
        (b"rank,rank,memberId\n1,1,m1\n", "line 1, rank: this column occurs twice"),
        (b"rank,memberId\n1,m1\n2\n", "line 3: expected 2 cells, got 1"),
        (b"rank,memberId\n1,\xff\n", "line 2, memberId: expected UTF-8"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "line 1"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(content: bytes, words: str) -> None:
    """The error and the manifest name file, line and field."""
    scene = Scene()
    with pytest.raises(BadInput) as caught:
        scene.run(scene.upload(content))
    assert words in str(caught.value)
    entry = scene.manifest()["club.csv"]
    assert (entry["outcome"], entry["reason"]) == ("REFUSED", str(caught.value))
    assert entry["reason"].startswith(UPLOAD)
    assert scene.records() == []


def test_a_file_beyond_the_limit_is_refused() -> None:
    """A file above the limit is not read."""
    scene = Scene(largest=len(LIST) - 1)
    with pytest.raises(BadInput, match="split the file"):
        scene.run(scene.upload(LIST))


def test_an_id_that_no_stream_takes_is_rejected() -> None:
    """A row with an id of more than 256 characters is rejected; the others are translated."""
    scene = translate_file(f"rank,memberId\n1,{'m' * 257}\n2,m2\n")
    assert len(scene.records()) == 1
    assert "256" in scene.manifest()["club.csv"]["rejected"][0]["reason"]


def test_an_unknown_scoring_type_is_refused() -> None:
    """The campaign must have a known scoring type."""
    scene = Scene()
    scene.campaigns.put(campaign(scoring_type="quadratic"))
    with pytest.raises(BadInput, match="scoringType"):
        scene.run(scene.upload(LIST))


def test_an_unknown_campaign_is_an_error() -> None:
    """A fan list needs a campaign of the same id."""
    scene = Scene()
    with pytest.raises(NotFound):
        scene.run(scene.upload(LIST, "fanlist/uploaded/other/club.csv"))


@pytest.mark.parametrize(
    "key",
    [
        "fanlist/uploaded/club.csv",
        "fanlist/uploaded/tour/deep/club.csv",
        "fanlist/uploaded/../club.csv",
        "fanlist/uploaded/tour/.csv",
    ],
)
def test_a_key_of_another_form_is_refused_and_counted(key: str) -> None:
    """It raises no error, because a retry cannot help."""
    report = Scene().run(ObjectCreated(bucket="scoring", key=key))
    assert report.counts == {"in": 1, "out": 0, "rejected": 1, "duplicates": 0}
    assert "refused" in report.details


def test_only_the_version_of_the_event_is_read() -> None:
    """A file that has been replaced is left to the event of its new version."""
    scene = Scene()
    old = scene.upload(LIST)
    new = scene.upload("rank,memberId\n1,m9\n")
    assert scene.run(old).details["superseded"]
    assert scene.records() == []
    scene.run(new)
    assert [line["memberId"] for line in scene.records()] == ["m9"]


def overtaken(at: int) -> tuple[Scene, int]:
    """Replace the upload, and score the new version, just before a call of the old run."""
    scene = Scene()
    old = scene.upload("rank,memberId\n1,m1\n2,m2\n")

    def replace_upload() -> None:
        scene.wrap = lambda port: port
        scene.clock.advance(timedelta(seconds=1))
        scene.run(scene.upload("rank,memberId\n1,m2\n2,m1\n4,m3\n"))
        scene.clock.advance(timedelta(seconds=1))

    meanwhile = ConcurrentAction(at=at, happens=replace_upload)
    scene.wrap = meanwhile.wrap
    scene.run(old)
    return scene, meanwhile.calls


def test_a_replaced_upload_leaves_nothing_over_the_new_one() -> None:
    """Copy, manifest and latest records are of the new version, at any call of the old run."""
    never, calls = overtaken(0)
    assert len(never.records()) == 2
    for at in range(1, calls + 1):
        scene, _ = overtaken(at)
        latest = {r["memberId"]: r for r in sorted(scene.records(), key=itemgetter("created"))}
        assert [latest[member]["rank"] for member in ("m1", "m2", "m3")] == [2, 1, 4], at
        assert [row["memberId"] for row in scene.scored_rows()] == ["m2", "m1", "m3"], at
        assert scene.manifest()["club.csv"]["count"]["in"] == 3, at


@attrs.define
class Contested:
    """A bucket in which another run writes the manifest just before each of some puts."""

    store: Any
    times: int

    def put(self, key: str, body: Any, **conditions: Any) -> Any:
        """Let the other run write first."""
        if key == MANIFEST and self.times:
            self.times -= 1
            self.store.put(MANIFEST, json.dumps({"files": {f"{self.times}.csv": {}}}).encode())
        return self.store.put(key, body, **conditions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def contested_scene(times: int) -> Scene:
    return Scene(
        wrap=lambda port: Contested(port, times) if isinstance(port, MemoryObjectStore) else port
    )


def test_a_manifest_that_another_run_writes_is_read_again() -> None:
    """Entries of two files that are translated concurrently are both stored."""
    scene = contested_scene(1)
    scene.run(scene.upload(LIST))
    assert list(scene.manifest()) == ["0.csv", "club.csv"]


def test_a_manifest_that_keeps_changing_is_retried_later() -> None:
    """The run fails and is retried; no entry is lost."""
    scene = contested_scene(99)
    with pytest.raises(RetryLater, match="other runs keep changing"):
        scene.run(scene.upload(LIST))


def test_an_invalid_manifest_is_not_overwritten() -> None:
    """An invalid manifest is left unchanged."""
    scene = Scene()
    scene.scoring.put(MANIFEST, b"[]")
    with pytest.raises(BadInput, match="expected a manifest"):
        scene.run(scene.upload(LIST))
    assert scene.scoring.open(MANIFEST).read() == b"[]"


def test_a_killed_run_can_be_repeated() -> None:
    """A run that is killed at any call and repeated gives the same objects and dedupe keys."""

    def build(wrap: Callable[[Any], Any]) -> CrashCase:
        scene = Scene(wrap=wrap)
        event = scene.upload(f"{LIST}x,g5,,\n")
        return CrashCase(run=lambda: scene.run(event), snapshot=lambda: take_snapshot(scene))

    assert assert_survives_every_kill(build) >= 10


def take_snapshot(scene: Scene) -> object:
    objects = {info.key: scene.scoring.open(info.key).read() for info in scene.scoring.list("")}
    return objects, {line["dedupeKey"] for line in scene.records()}
