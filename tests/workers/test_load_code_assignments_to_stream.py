"""loadCodeAssignmentsToStream: a triggered wave's codes are on the stream, once by key."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput, NotFound, RetryLater
from campaign_workers.domain.records.record import parse_record
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage.layout import SCORING
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from campaign_workers.workers.load_code_assignments_to_stream import LoadCodeAssignmentsToStream
from tests.worlds import (
    NOW,
    World,
    contents,
    first_of_each,
    put_entries,
    put_records,
    table,
    unwrapped,
    wave_config,
    wave_rows,
)

FILE = "smsWaves/csv/tour_w1.csv"
ERRORS = "smsWaves/errors/tour_w1.csv"
TRIGGERED = "smsWaves/triggered/tour_w1_csv.json"


def row(fan: str, code: str, **cells: str) -> dict[str, str]:
    """A row of a wave file."""
    return {"globalUserId": fan, "code": code, "marketId": "nyc"} | cells


def a_world(*rows: dict[str, str], wrap: Any = unwrapped, **config: Any) -> World:
    """A wave file whose config was just triggered."""
    world = World(wrap)
    world.scoring.put(FILE, wave_rows(*rows))
    world.scoring.put(TRIGGERED, json.dumps(wave_config(**config)).encode())
    return world


def load(world: World, key: str = TRIGGERED, etag: str | None = None) -> Report:
    """Run the worker once."""
    ports = world.ports(scoring=world.scoring, inputs=world.inputs)
    event = ObjectCreated(bucket=SCORING, key=key, etag=etag)
    return LoadCodeAssignmentsToStream(**ports)(event)


def errors(world: World) -> list[tuple[str, str]]:
    """Fan and reason of each row in the errors file."""
    rows = table(world.scoring.open(ERRORS).read())
    return [(row.get("globalUserId", ""), row["reason"]) for row in rows]


def test_rows_with_a_code_become_records() -> None:
    """Campaign and category come from the config, the rest from the row; `TM` is a code here."""
    world = a_world(row("g1", "A", memberId="m1"), row("g2", "TM", marketId=""))
    report = load(world)
    assert report.counts == {"in": 2, "out": 2, "rejected": 0, "duplicates": 0}
    first, second = first_of_each(put_records(world.inputs), "globalUserId")
    first.pop("dedupeKey")
    assert first == {
        "type": "codeAssignment",
        "campaignId": "tour",
        "categoryId": 77,
        "globalUserId": "g1",
        "memberId": "m1",
        "marketId": "nyc",
        "code": "A",
        "created": "2026-10-01T12:00:00Z",
    }
    assert (second["code"], "marketId" in second) == ("TM", False)
    assert {entry.partition_key for entry in put_entries(world.inputs)} == {"A", "g2"}


def test_records_are_what_others_read() -> None:
    """Each can be parsed, and its key is the one that its content has."""
    world = a_world(row("g1", "A"))
    load(world)
    (entry,) = put_entries(world.inputs)
    record = parse_record(entry.data)
    stripped = json.dumps({**json.loads(entry.data), "dedupeKey": None}).encode()
    assert record.dedupe_key == parse_record(stripped).dedupe_key


def test_rows_that_give_no_record_are_kept_with_their_reason() -> None:
    """No code, no fan, a code that no stream takes; the same row twice counts as a copy."""
    world = a_world(
        row("g1", ""), row("", "A"), row("g2", "C" * 257), row("g3", "B"), row("g3", " B ")
    )
    report = load(world)
    assert report.counts == {"in": 5, "out": 1, "rejected": 3, "duplicates": 1}
    assert not report.imbalances
    assert errors(world) == [
        ("g1", "code: missing"),
        ("", "globalUserId: missing"),
        ("g2", "partition key: empty, or over 256 characters"),
    ]


@pytest.mark.parametrize(
    "key",
    [
        "smsWaves/triggered/.._csv.json/x",
        "smsWaves/triggered/sub/w_csv.json",
        "smsWaves/triggered/_csv.json",
        "smsWaves/scheduled/tour_w1_csv.json",
    ],
)
def test_a_key_of_another_form_is_refused_and_counted(key: str) -> None:
    """It is no reason to be called again and again."""
    report = load(a_world(row("g1", "A")), key)
    assert report.counts == {"in": 1, "out": 0, "rejected": 1, "duplicates": 0}
    assert "refused" in report.details


def test_a_version_that_was_replaced_is_left_to_its_successor() -> None:
    """A later config of the wave has its own event, so nothing of it is read for this one."""
    world = a_world(row("g1", "A"))
    etag = world.scoring.head(TRIGGERED).etag
    world.scoring.put(TRIGGERED, json.dumps(wave_config(campaignId="other")).encode())
    report = load(world, etag=etag)
    assert set(report.counts.values()) == {0}
    assert report.details == {"superseded": TRIGGERED}
    assert put_records(world.inputs) == []


@pytest.mark.parametrize("state", ["completed", "failed"])
def test_a_config_that_moved_on_is_found_where_it_is(state: str) -> None:
    """A wave may end before its assignments are loaded; its config has another ETag by then."""
    world = a_world(row("g1", "A"))
    event = world.scoring.head(TRIGGERED).etag
    ended = json.dumps(wave_config(lastFailure="given up after the last attempt")).encode()
    world.scoring.put(TRIGGERED.replace("triggered", state), ended)
    world.scoring.delete([TRIGGERED])
    assert load(world, etag=event).counts["out"] == 1


def test_a_config_that_is_gone_is_an_error() -> None:
    """Nobody can tell the campaign of the wave."""
    world = a_world(row("g1", "A"))
    world.scoring.delete([TRIGGERED])
    with pytest.raises(NotFound, match="no config of this wave"):
        load(world)


@pytest.mark.parametrize(
    ("key", "content", "place"),
    [
        (TRIGGERED, b"{", "triggered/tour_w1_csv.json: expected JSON"),
        (TRIGGERED, b"{}", "triggered/tour_w1_csv.json, campaignId: missing"),
        (FILE, b"", "csv/tour_w1.csv: expected a header"),
        (FILE, b"code,email\n", "csv/tour_w1.csv, line 1, doNotText, firstName"),
    ],
)
def test_files_that_cannot_be_read_are_errors(key: str, content: bytes, place: str) -> None:
    """The error names file, line and field, and nothing was put."""
    world = a_world(row("g1", "A"))
    world.scoring.put(key, content)
    with pytest.raises(BadInput, match=place):
        load(world)
    assert put_records(world.inputs) == []


def test_a_wave_without_its_file_is_an_error() -> None:
    """The event comes again and ends in the dead letters, where a person finds it."""
    world = a_world()
    world.scoring.delete([FILE])
    with pytest.raises(NotFound, match=FILE):
        load(world)


def test_a_failing_stream_gives_the_event_back() -> None:
    """What was put before stays, and the next delivery puts copies of it."""
    once, twice = a_world(row("g1", "A")), a_world(row("g1", "A"))
    twice.inputs.fail_next(RetryLater("throttled"))
    with pytest.raises(RetryLater):
        load(twice)
    load(twice)
    load(once)
    assert seen(twice) == seen(once)


rows = st.builds(row, st.sampled_from(["g1", "g2", ""]), st.sampled_from(["A", "B", "TM", ""]))


@given(st.lists(rows, max_size=12))
def test_books_balance_and_a_second_delivery_is_as_one(wave: list[dict[str, str]]) -> None:
    """Every row is a record, a copy of one, or kept with its reason; twice is as once."""
    world = a_world(*wave)
    report = load(world)
    assert not report.imbalances
    assert report.counts["in"] == len(wave)
    once = seen(world)
    assert len(once[0]) == report.counts["out"]
    assert load(world).counts == report.counts
    assert seen(world) == once
    kept = errors(world) if ERRORS in contents(world.scoring) else []
    assert len(kept) == report.counts["rejected"]


def test_it_may_be_killed_at_any_call() -> None:
    """Killed before or after any port call and run again, it ends as one clean run."""

    def build(wrap: Any) -> CrashCase:
        world = a_world(row("g1", "A"), row("g2", "TM"), row("g3", ""), wrap=wrap)
        etag = world.scoring.head(TRIGGERED).etag
        return CrashCase(run=lambda: load(world, etag=etag), snapshot=lambda: seen(world))

    assert assert_survives_every_kill(build) >= 15


def seen(world: World) -> tuple[Any, Any]:
    """What consumers see who drop copies."""
    return first_of_each(put_records(world.inputs), "dedupeKey"), contents(world.scoring)


def test_the_records_bear_the_time_of_the_config() -> None:
    """A second delivery, however late, gives the very same records."""
    world = a_world(row("g1", "A"))
    world.clock.sleep(3600)
    load(world)
    (record,) = put_records(world.inputs)
    assert record["created"] == f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
