"""loadCodeAssignmentsToStream: the codes of a triggered wave are put on the stream."""

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
    no_wrapper,
    put_entries,
    put_records,
    table,
    wave_config,
    wave_rows,
)

FILE = "smsWaves/csv/tour_w1.csv"
ERRORS = "smsWaves/errors/tour_w1.csv"
TRIGGERED = "smsWaves/triggered/tour_w1_csv.json"


def row(fan: str, code: str, **cells: str) -> dict[str, str]:
    """Return a row of a wave file."""
    return {"globalUserId": fan, "code": code, "marketId": "nyc"} | cells


def build_world(*rows: dict[str, str], wrap: Any = no_wrapper, **config: Any) -> World:
    """Return a world with a wave file whose config was just triggered."""
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
    """Return fan and reason of each row in the errors file."""
    rows = table(world.scoring.open(ERRORS).read())
    return [(row.get("globalUserId", ""), row["reason"]) for row in rows]


def test_rows_with_a_code_become_records() -> None:
    """Campaign and category come from the config, the rest from the row; `TM` is a code."""
    world = build_world(row("g1", "A", memberId="m1"), row("g2", "TM", marketId=""))
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


def test_records_can_be_parsed() -> None:
    """Each record can be parsed, and has the partition key of its content."""
    world = build_world(row("g1", "A"))
    load(world)
    (entry,) = put_entries(world.inputs)
    record = parse_record(entry.data)
    stripped = json.dumps({**json.loads(entry.data), "dedupeKey": None}).encode()
    assert record.dedupe_key == parse_record(stripped).dedupe_key


def test_rejected_rows_are_in_the_errors_file() -> None:
    """Rows without a code or a fan, and codes too long for the stream; copies are duplicates."""
    world = build_world(
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
def test_an_invalid_key_is_rejected_and_counted(key: str) -> None:
    """The event is not retried."""
    report = load(build_world(row("g1", "A")), key)
    assert report.counts == {"in": 1, "out": 0, "rejected": 1, "duplicates": 0}
    assert "refused" in report.details


def test_a_superseded_config_is_skipped() -> None:
    """The newer config has an event of its own."""
    world = build_world(row("g1", "A"))
    etag = world.scoring.head(TRIGGERED).etag
    world.scoring.put(TRIGGERED, json.dumps(wave_config(campaignId="other")).encode())
    report = load(world, etag=etag)
    assert set(report.counts.values()) == {0}
    assert report.details == {"superseded": TRIGGERED}
    assert put_records(world.inputs) == []


@pytest.mark.parametrize("state", ["completed", "failed"])
def test_a_moved_config_is_found(state: str) -> None:
    """A wave may end before its assignments are loaded, and its config gets another ETag."""
    world = build_world(row("g1", "A"))
    event = world.scoring.head(TRIGGERED).etag
    ended = json.dumps(wave_config(lastFailure="given up after the last attempt")).encode()
    world.scoring.put(TRIGGERED.replace("triggered", state), ended)
    world.scoring.delete([TRIGGERED])
    assert load(world, etag=event).counts["out"] == 1


def test_a_missing_config_is_an_error() -> None:
    """The campaign of the wave is unknown."""
    world = build_world(row("g1", "A"))
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
def test_invalid_files_are_errors(key: str, content: bytes, place: str) -> None:
    """The error names file, line and field, and nothing is put."""
    world = build_world(row("g1", "A"))
    world.scoring.put(key, content)
    with pytest.raises(BadInput, match=place):
        load(world)
    assert put_records(world.inputs) == []


def test_a_wave_without_its_file_is_an_error() -> None:
    """The event is retried and ends as a dead letter."""
    world = build_world()
    world.scoring.delete([FILE])
    with pytest.raises(NotFound, match=FILE):
        load(world)


def test_a_failing_stream_fails_the_event() -> None:
    """Records that were put stay, and the next delivery puts copies of them."""
    once, twice = build_world(row("g1", "A")), build_world(row("g1", "A"))
    twice.inputs.fail_next(RetryLater("throttled"))
    with pytest.raises(RetryLater):
        load(twice)
    load(twice)
    load(once)
    assert consumed_records(twice) == consumed_records(once)


rows = st.builds(row, st.sampled_from(["g1", "g2", ""]), st.sampled_from(["A", "B", "TM", ""]))


@given(st.lists(rows, max_size=12))
def test_counts_add_up_and_a_second_delivery_changes_nothing(wave: list[dict[str, str]]) -> None:
    """Every row is a record, a duplicate, or rejected with a reason."""
    world = build_world(*wave)
    report = load(world)
    assert not report.imbalances
    assert report.counts["in"] == len(wave)
    once = consumed_records(world)
    assert len(once[0]) == report.counts["out"]
    assert load(world).counts == report.counts
    assert consumed_records(world) == once
    kept = errors(world) if ERRORS in contents(world.scoring) else []
    assert len(kept) == report.counts["rejected"]


def test_it_may_be_killed_at_any_call() -> None:
    """Killed before or after any port call and run again, it ends as one clean run."""

    def build(wrap: Any) -> CrashCase:
        world = build_world(row("g1", "A"), row("g2", "TM"), row("g3", ""), wrap=wrap)
        etag = world.scoring.head(TRIGGERED).etag
        return CrashCase(
            run=lambda: load(world, etag=etag), snapshot=lambda: consumed_records(world)
        )

    assert assert_survives_every_kill(build) >= 15


def consumed_records(world: World) -> tuple[Any, Any]:
    """Return the records as a deduplicating consumer sees them."""
    return first_of_each(put_records(world.inputs), "dedupeKey"), contents(world.scoring)


def test_records_have_the_time_of_the_config() -> None:
    """A later delivery of the event gives the same records."""
    world = build_world(row("g1", "A"))
    world.clock.sleep(3600)
    load(world)
    (record,) = put_records(world.inputs)
    assert record["created"] == f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
