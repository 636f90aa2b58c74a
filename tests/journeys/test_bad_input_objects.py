"""Wrong objects: keys of no form, files that vanish, come twice or are replaced, strange lakes.

What cannot be right is refused once and counted, or given up with its key; what lies where it
lay stays there; and the next right object is taken as if nothing had been.
"""

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote_plus

import pytest

from campaign_workers.domain import lottery
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.running.triggers import MOVE_MERGED_QUEUE, VF_INPUT_STREAM
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import CAMPAIGN_DATA, WaveState
from campaign_workers.entrypoints.envelopes import events
from campaign_workers.testing.builders import CAMPAIGN, campaign, scoring
from tests.journeys.bad_input_scene import SEED, WAVE, Scene
from tests.journeys.test_bad_input import READERS, REGISTRANTS, wave_config

SCORED, RANKS, MARKET_DETAILS = READERS[:3]
WAVE_FILE: Final = next(reader for reader in READERS if reader.rows is REGISTRANTS)
DAY: Final = "avro/registration/2026/09/01/"
WRONG_KEYS: Final = {
    "processScoredFiles": (
        "scored/deeper/tour.1.txt", "scored/.txt", "scored/..txt", "scored/...txt",
        "scored/tour\n.1.txt", "scored/a\\b.txt", f"scored/{'x' * 201}.txt",
    ),
    "translateRanksToScores": (
        "fanlist/uploaded/members.csv", "fanlist/uploaded/tour/deeper/members.csv",
        "fanlist/uploaded/to ur/members.csv", "fanlist/uploaded/to+ur/members.csv",
        "fanlist/uploaded/a..b/members.csv", "fanlist/uploaded/-tour/members.csv",
        "fanlist/uploaded/tour/.csv", f"fanlist/uploaded/{'x' * 65}/members.csv",
    ),
    "loadCodeAssignmentsToStream": (
        "smsWaves/triggered/deeper/w_csv.json", "smsWaves/triggered/_csv.json",
        "smsWaves/triggered/.._csv.json", "smsWaves/triggered/w\t_csv.json",
    ),
}  # fmt: skip
TRAVERSING: Final = {
    "processScoredFiles": "scored/../scrubbed/x.txt",
    "translateRanksToScores": "fanlist/uploaded/../members.csv",
    "loadCodeAssignmentsToStream": "smsWaves/triggered/../w_csv.json",
}
NAMES: Final = ("two words", "a+b", "100%", "naïve", "it's", "a&b=c", "..hidden", "tour.1.txt")


def envelope(key: str, **item: Any) -> dict[str, Any]:
    """What S3 sends of an object."""
    return {"Records": [{"s3": {"object": {"key": quote_plus(key), **item}}}]}


@pytest.mark.parametrize(
    ("worker", "key"), [(worker, key) for worker, keys in WRONG_KEYS.items() for key in keys]
)
def test_a_key_of_no_form_is_counted_once(scene: Scene, worker: str, key: str) -> None:
    """It is refused without an attempt more, stays where it is, and nothing is written."""
    scene.upload(key, b"planted")
    assert scene.keys("") == [key]
    assert scene.counts(worker) == {"in": 1, "out": 0, "rejected": 1, "duplicates": 0}
    [result] = scene.results(worker)
    assert result["refused"]
    assert scene.dead_letters() == []


@pytest.mark.parametrize(("worker", "key"), TRAVERSING.items())
def test_a_key_that_leaves_its_folder_is_counted_once(scene: Scene, worker: str, key: str) -> None:
    """Our buckets refuse such a key; one in an S3 event is refused before it is read."""
    [event] = events(worker, envelope(key))
    assert event == ObjectCreated(bucket="scoring", key=key)
    report = scene.container.call(worker, event)
    assert report.counts == {"in": 1, "out": 0, "rejected": 1, "duplicates": 0}
    assert scene.keys("") == []


@pytest.mark.parametrize("name", NAMES)
def test_a_file_may_have_any_name(scene: Scene, name: str) -> None:
    """Blanks, plus signs and accents in file names are kept."""
    header, *fans = SCORED.rows
    rows = [[*header, "campaignId"], *([*fan, CAMPAIGN] for fan in fans)]
    scene.upload(layout.scored_key(name), SCORED.table(rows))
    assert f"scrubbed/{name}.csv" in scene.keys("scrubbed/")
    assert scene.dead_letters() == []
    key = layout.scored_key(name)
    assert events("processScoredFiles", envelope(key, eTag="e")) == (
        ObjectCreated(bucket="scoring", key=key, etag="e"),
    )


def test_a_key_of_an_invocation_is_taken_as_it_is(scene: Scene) -> None:
    """Nothing in it is decoded, so that a plus sign is one and a percent sign too."""
    for wave in ("tour_a+b", "tour_100%25"):
        scene.upload(layout.wave_file_key(wave), WAVE_FILE.table(REGISTRANTS))
        scene.invoke("processScheduledWave", {"fileKey": layout.wave_file_key(wave)})
        assert (scene.counts("processScheduledWave") or {})["in"] == 2


TRIGGERING: Final[dict[str, tuple[str, bytes]]] = {
    "processScoredFiles": (SCORED.key, SCORED.table(SCORED.rows)),
    "translateRanksToScores": (RANKS.key, RANKS.table(RANKS.rows)),
    "loadCodeAssignmentsToStream": (
        layout.wave_config_key(WAVE, WaveState.TRIGGERED),
        wave_config(),
    ),
}
each_trigger = pytest.mark.parametrize("worker", TRIGGERING)


def with_wave_file(scene: Scene) -> None:
    """Upload the wave file, which starts nothing."""
    scene.upload(WAVE_FILE.key, WAVE_FILE.table(REGISTRANTS))


def known(scene: Scene) -> dict[str, Any]:
    """What is the same however often a file comes."""
    container, codec = scene.container, scene.container.codec
    lake = scene.keys("avro/", CAMPAIGN_DATA)
    return {
        "objects": {key: scene.read(key) for key in scene.keys("")},
        "lake": {r["dedupeKey"] for k in lake for r in codec.decode(container.lake.open(k))},
        "codes": container.embedded.entries.codes(CAMPAIGN, ["g1", "g2"]),
    }


@each_trigger
def test_a_file_that_vanished_is_given_up_with_its_key(scene: Scene, worker: str) -> None:
    """A file deleted before its worker runs is reported; uploaded again, it is processed."""
    with_wave_file(scene)
    key, content = TRIGGERING[worker]
    scene.container.scoring.put(key, content)
    scene.container.scoring.delete([key])
    scene.run()
    [(dead, reason)] = scene.dead_letters()
    assert dead == worker
    assert reason.startswith(f"NotFound: {key}: ")
    scene.upload(key, content)
    assert scene.counts(worker) == {"in": 2, "out": 2, "rejected": 0, "duplicates": 0}
    assert len(scene.dead_letters()) == 1


@each_trigger
def test_a_file_that_comes_twice_changes_nothing(scene: Scene, worker: str) -> None:
    """Queued twice or uploaded again later, equal content leaves the world as once."""
    with_wave_file(scene)
    key, content = TRIGGERING[worker]
    scene.upload(key, content)
    once = known(scene)
    scene.container.scoring.put(key, content)
    scene.container.scoring.put(key, content)
    scene.run()
    first, second, third = scene.results(worker)
    assert first["count"] == second["count"] == third["count"]
    assert known(scene) == once
    assert scene.dead_letters() == []


@each_trigger
def test_of_a_file_that_is_replaced_the_later_version_counts(scene: Scene, worker: str) -> None:
    """The event of a version that is gone does nothing, however wrong that version was."""
    with_wave_file(scene)
    key, content = TRIGGERING[worker]
    scene.container.scoring.put(key, b"planted \xff")
    scene.container.scoring.put(key, content)
    scene.run()
    first, second = scene.results(worker)
    assert first["superseded"]
    assert set(first["count"].values()) == {0}
    assert second["count"] == {"in": 2, "out": 2, "rejected": 0, "duplicates": 0}
    assert scene.dead_letters() == []


STRANGE: Final[dict[str, Callable[[bytes, bytes], bytes]]] = {
    "nothing": lambda batch, other: b"",
    "a text": lambda batch, other: b"planted",
    "a batch cut short": lambda batch, other: batch[:-7],
    "a batch of another type": lambda batch, other: other,
    "a foreign schema": lambda batch, other: batch.replace(b"marketIds", b"plantedId"),
}


@pytest.mark.parametrize("strange", STRANGE)
def test_a_strange_file_in_the_lake_stops_the_merge_alone(scene: Scene, strange: str) -> None:
    """The day is not merged and nothing of it moves, until the file is taken away."""
    [batch] = scene.keys(DAY, CAMPAIGN_DATA)
    scene.send(VF_INPUT_STREAM, scoring("g3"))
    other = scene.keys("avro/scoring/", CAMPAIGN_DATA)[-1]
    content = STRANGE[strange](scene.read(batch, CAMPAIGN_DATA), scene.read(other, CAMPAIGN_DATA))
    scene.upload(f"{DAY}strange.avro", content, bucket=CAMPAIGN_DATA)
    before = {key: scene.read(key, CAMPAIGN_DATA) for key in scene.keys("", CAMPAIGN_DATA)}
    scene.wait(days=1, hours=11)
    [(worker, reason)] = scene.dead_letters()
    assert worker == "mergeAvroFiles"
    assert reason.startswith(f"BadInput: {DAY}strange.avro")
    assert {key: scene.read(key, CAMPAIGN_DATA) for key in scene.keys("", CAMPAIGN_DATA)} == before
    assert scene.results("saveStats")

    scene.container.lake.delete([f"{DAY}strange.avro"])
    scene.invoke("mergeAvroFiles", {"inputPrefix": "2026/09/01"})
    assert scene.keys(DAY, CAMPAIGN_DATA) == [f"{DAY}merged"]
    assert scene.keys("avro/archived/", CAMPAIGN_DATA) == [layout.archived_key(batch)]
    assert scene.imbalances() == []


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "planted"},
        {"inputPrefix": "2026/13/01"},
        {"inputPrefix": "2026/02/30"},
        {"inputPrefix": "../2026/09/01"},
        {"inputPrefix": "avro/scoring/2026/09/01"},
        {"inputPrefix": 2026},
        {"inputPrefix": ""},
    ],
)
def test_a_merge_of_no_period_is_refused(scene: Scene, payload: dict[str, Any]) -> None:
    """The caller gets a remedy, and nothing is merged."""
    scene.invoke("mergeAvroFiles", payload)
    [told] = scene.raised
    assert told.startswith("BadInput: ")
    assert "YYYY/MM" in told or "no such day or month" in told
    assert not scene.keys("manifests/", CAMPAIGN_DATA)


@pytest.mark.parametrize(
    "message",
    [
        "planted", "{", "{}", "[]", "[1]", '"avro/registration/2026/09/01"', "[[]]", "[" * 5000,
        json.dumps([DAY[:-1], DAY[:-1]]), '["avro/scoring/2026/09/01"]', '[".."]', '["2026/13"]',
        '["avro/registration/2026/08/31"]',
    ],
)  # fmt: skip
def test_a_move_of_not_one_merged_period_is_given_up(scene: Scene, message: str) -> None:
    """It leaves the queue with its reason; nothing moves, and the next message is followed."""
    before = scene.keys("", CAMPAIGN_DATA)
    scene.container.queues[MOVE_MERGED_QUEUE].send([message])
    scene.run()
    [(worker, reason)] = scene.dead_letters()
    assert worker == "moveMergedAvroFiles"
    assert "body" in reason or "inputPrefix" in reason or "no manifest" in reason
    assert scene.keys("", CAMPAIGN_DATA) == before

    scene.invoke("mergeAvroFiles", {"inputPrefix": "2026/09/01"})
    assert scene.keys(DAY, CAMPAIGN_DATA) == [f"{DAY}merged"]
    assert len(scene.dead_letters()) == 1


LISTS: Final = {
    "blocklist/emails.txt": (
        b"# ours\nplanted@planted-mail.example\nplanted\xe9@x\n",
        3,
        "expected UTF-8",
    ),
    f"blocklist/{CAMPAIGN}/domains.txt": (b"\xff", 1, "expected UTF-8"),
    "allowlist/patterns.txt": (b"# ours\n\nplanted*\n", 3, "expected a pattern with an @"),
}


@pytest.mark.parametrize("key", LISTS)
def test_a_wrong_list_stops_the_scrub(scene: Scene, key: str) -> None:
    """An invalid list is reported with its line and stops the scrub, until it is corrected."""
    content, line, problem = LISTS[key]
    scene.upload(key, content)
    scene.upload(SCORED.key, SCORED.table(SCORED.rows))
    [(_, reason)] = scene.dead_letters()
    assert reason.startswith(f"BadInput: {key}, line {line}: {problem}")
    assert scene.keys("scrubbed/") == []
    scene.upload(key, b"\xef\xbb\xbf# ours\r\nnobody@nowhere.example\r\n")
    scene.upload(SCORED.key, SCORED.table(SCORED.rows))
    assert scene.counts("processScoredFiles") == {"in": 2, "out": 2, "rejected": 0, "duplicates": 0}


def test_an_unknown_campaign_is_reported(scene: Scene) -> None:
    """Whatever names it is given up or refused; once it is known, the same files are taken."""
    header, *fans = SCORED.rows
    rows = [[*header, "campaignId"], *([*fan, "tour2"] for fan in fans)]
    uploads = {
        layout.scored_key("any"): SCORED.table(rows),
        layout.fanlist_upload_key("tour2", "members"): RANKS.table(RANKS.rows),
    }
    for key, content in uploads.items():
        scene.upload(key, content)
    letters = {x.source: x.reason for x in scene.container.journal.dead_letters()}
    assert set(letters) == set(uploads)
    assert all("campaign" in reason for reason in letters.values())
    scene.invoke("processSmsWaveFiles", {"campaignId": "tour2", "dateKey": "d1"})
    assert "campaign" in scene.raised[-1]
    assert not scene.keys("scrubbed/") + scene.keys("fanlist/scored/")

    scene.container.campaigns.put(campaign("tour2"))
    scene.container.embedded.secrets.write(lottery.seed_secret_name("tour2"), SEED)
    for key, content in uploads.items():
        scene.upload(key, content)
    scene.upload(
        layout.market_details_key("tour2", "d1"), MARKET_DETAILS.table(MARKET_DETAILS.rows)
    )
    scene.invoke("processSmsWaveFiles", {"campaignId": "tour2", "dateKey": "d1"})
    counts = scene.counts("processSmsWaveFiles")
    assert counts == {"in": 1, "out": 1, "rejected": 0, "duplicates": 0}
    assert len(scene.dead_letters()) == 2
