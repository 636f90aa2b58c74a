"""processScoredFiles with invalid uploads, failing systems, and kills at any call."""

import logging
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from campaign_workers.domain.errors import BadInput, NotFound, PermanentFailure, RetryLater
from campaign_workers.testing import crashes
from tests.scored_scenes import UPLOAD, Scene, tsv
from tests.worlds import ConcurrentAction, contents, first_of_each, put_records

SECRET = "penelope@secret.example"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "tour.20260901.txt: expected a header"),
        (tsv(), "tour.20260901.txt: expected rows below the header"),
        (tsv(columns=("globalUserId", "email", "score")), "line 1, phone: column is missing"),
        (tsv({}, {}).rstrip("\n") + "\textra", "line 3: expected 10 cells, got 11"),
        (tsv({}) + "g2\n", "line 3: expected 10 cells, got 1"),
        (
            tsv({}).encode() + b"\xff",
            "line 3: expected 10 cells|line 3, globalUserId: expected UTF-8",
        ),
        (tsv({"firstName": '"Ann'}), "line 2: expected well-formed CSV"),
        (tsv({}, {"campaignId": "moon"}), "row 2, campaignId: unknown campaign"),
        (tsv({"campaignId": "../x"}), "row 1, campaignId: unknown campaign"),
    ],
)
def test_a_wrong_upload_is_refused_with_its_place(content: str | bytes, problem: str) -> None:
    """The error names file, line and field; nothing is written, put or posted."""
    scene = Scene()
    event = scene.upload(content)
    before = contents(scene.world.scoring)
    with pytest.raises(BadInput, match=problem) as refused:
        scene.run(event)
    assert UPLOAD in str(refused.value)
    assert contents(scene.world.scoring) == before
    assert put_records(scene.stream) == []
    assert list(scene.world.chat.posts()) == []


def test_a_reserved_column_name_is_refused() -> None:
    """A column with the name of an internal one could not be carried through."""
    scene = Scene()
    with pytest.raises(BadInput, match="line 1, __country_code: this column name is reserved"):
        scene.run(scene.upload("globalUserId\temail\tphone\tscore\t__country_code\n"))


def test_a_file_that_names_no_campaign_anywhere_is_refused() -> None:
    """Neither the row nor the name of the file has a campaign id."""
    scene = Scene()
    upload = scene.upload(tsv({}, {"campaignId": ""}), key="scored/registrants.txt")
    with pytest.raises(BadInput, match="row 2, campaignId: expected a campaign id"):
        scene.run(upload)


@pytest.mark.parametrize(
    ("key", "content", "problem"),
    [
        ("allowlist/patterns.txt", b"# all\n*gmail.com\n", "line 2: expected a pattern with an @"),
        ("allowlist/tour/patterns.txt", b"x\n", "line 1: expected a pattern with an @"),
        ("blocklist/emails.txt", b"a@x.co\n\xff\n", "line 2: expected UTF-8"),
    ],
)
def test_a_wrong_list_is_refused_with_its_place(key: str, content: bytes, problem: str) -> None:
    """An unreadable list stops the scrub, which would otherwise let fans in."""
    scene = Scene()
    scene.put(key, content)
    with pytest.raises(BadInput, match=f"{key}, {problem}"):
        scene.run(scene.upload(tsv({})))


def test_a_campaign_without_a_seed_is_not_scrubbed() -> None:
    """Without a seed the draw could not be verified."""
    scene = Scene()
    scene.add_campaign("unsown", seed=None)
    with pytest.raises(NotFound, match="lottery-seed"):
        scene.run(scene.upload(tsv({"campaignId": "unsown"})))


def test_a_channel_that_refuses_for_good_does_not_undo_the_scrub() -> None:
    """It is named in the report; the other channels get their messages."""
    scene = Scene()
    scene.add_campaign("tour", stats_channels=("#gone", "#tour"))
    scene.world.chat.faults.fail_next(PermanentFailure("no such channel"))
    report = scene.run(scene.upload(tsv({})))
    assert report.details["unheard"] == ["#gone"]
    assert [post.channel for post in scene.world.chat.posts()] == ["#tour"]


def test_a_failing_system_makes_it_come_again() -> None:
    """After a failure of the chat or a service, the same event completes the work."""
    scene = Scene()
    event = scene.upload(tsv({}))
    for faults in (scene.world.chat.faults, scene.world.campaigns.faults):
        with faults.outage(), pytest.raises(RetryLater):
            scene.run(event)
    scene.run(event)
    assert len(first_of_each(put_records(scene.stream), "dedupeKey")) == 1


def test_killed_at_any_call_it_ends_as_one_clean_run() -> None:
    """Objects are equal, records equal except for copies; messages are posted at least once."""

    def build(wrap: Any) -> crashes.CrashCase:
        scene = Scene(wrap=wrap, block=200)
        scene.put("blocklist/emails.txt", "bob@x.co")
        fans = [{"globalUserId": f"g{n}", "phone": ""} for n in range(5)]
        event = scene.upload(tsv(*fans, {"email": "bob@x.co"}))

        def snapshot() -> Any:
            posts = {(post.channel, post.text) for post in scene.world.chat.posts()}
            records = first_of_each(put_records(scene.stream), "dedupeKey")
            return contents(scene.world.scoring), records, posts

        return crashes.CrashCase(run=lambda: scene.run(event), snapshot=snapshot)

    assert crashes.assert_survives_every_kill(build) > 15


def overtaken(at: int) -> tuple[Scene, int]:
    """Replace the upload, and scrub the new version, just before a call of the old run."""
    scene = Scene(block=200)
    old = scene.upload(tsv({}, {"globalUserId": "g2", "score": "0.9"}))

    def replace_upload() -> None:
        scene.wrap = lambda port: port
        scene.world.clock.advance(timedelta(seconds=1))
        scene.run(scene.upload(tsv({"score": "0.6"}, {"globalUserId": "g2", "email": "no"})))
        scene.world.clock.advance(timedelta(seconds=1))

    meanwhile = ConcurrentAction(at=at, happens=replace_upload)
    scene.wrap = meanwhile.wrap
    scene.run(old)
    return scene, meanwhile.calls


def test_a_replaced_upload_leaves_nothing_over_the_new_one() -> None:
    """File and latest records are those of the new version, at any call of the old run."""
    never, calls = overtaken(0)
    assert len(never.records()) == 2
    for at in range(1, calls + 1):
        scene, _ = overtaken(at)
        assert [row["score"] for row in scene.scrubbed_rows()] == ["0.6", "0.5"], at
        latest = {r["globalUserId"]: r for r in sorted(scene.records(), key=itemgetter("created"))}
        assert (latest["g1"]["score"], latest["g2"]["verdict"]) == (0.6, 0), at


@pytest.mark.parametrize("ends_well", [True, False])
def test_temporary_files_are_gone_in_every_outcome(tmp_path: Path, ends_well: bool) -> None:
    """No personal data remains on the machine."""
    scene = Scene(block=200, spool_dir=tmp_path)
    rows = [{"globalUserId": f"g{n}"} for n in range(40)]
    event = scene.upload(tsv(*rows, {} if ends_well else {"campaignId": "moon"}))
    if ends_well:
        scene.run(event)
    else:
        with pytest.raises(BadInput):
            scene.run(event)
    assert list(tmp_path.iterdir()) == []


def test_nothing_personal_is_logged_or_raised(caplog: pytest.LogCaptureFixture) -> None:
    """Errors and logs name places and never quote values."""
    caplog.set_level(logging.DEBUG)
    scene = Scene()
    personal = {"email": SECRET, "phone": "+12125550177", "firstName": "Penelope"}
    scene.put("allowlist/patterns.txt", "penelope-secret\n")
    with pytest.raises(BadInput) as refused:
        scene.run(scene.upload(tsv(personal)))
    scene.put("allowlist/patterns.txt", "")
    report = scene.run(scene.upload(tsv(personal)))
    with pytest.raises(BadInput) as ragged:
        scene.run(scene.upload(tsv(personal) + f"{SECRET}\n"))
    said = f"{caplog.text}{report}{refused.value}{ragged.value}{list(scene.world.chat.posts())}"
    assert not [word for word in ("penelope", "2125550177") if word in said.lower()]
