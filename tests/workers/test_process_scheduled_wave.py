"""processScheduledWave: codes of a wave file are assigned, or refused with a reason."""

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput, NotFound, RejectRecord, RetryLater
from campaign_workers.domain.running.reports import Report
from campaign_workers.testing.builders import assignment
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from campaign_workers.workers.process_scheduled_wave import AssignCodesRequest, ProcessScheduledWave
from tests.worlds import World, contents, no_wrapper, table, wave_config, wave_rows

KEY = "smsWaves/csv/tour_w1.csv"
ERRORS = "smsWaves/errors/tour_w1.csv"


def row(fan: str, code: str, market: str = "nyc") -> dict[str, str]:
    """Return a row of a wave file."""
    return {"globalUserId": fan, "code": code, "marketId": market}


def build_world(*rows: dict[str, str], wrap: Any = no_wrapper) -> World:
    """Return a wave file and a pool with an assigned code and a reserved code."""
    world = World(wrap)
    world.scoring.put(KEY, wave_rows(*rows))
    world.codes.load("tour", ["TAKEN", "HELD", "KNOWN"])
    world.codes.assign("tour", [assignment("g0", "TAKEN")])
    world.codes.reserve("tour", "chi", 1, reserve_id="r1")
    return world


def process(world: World, key: str = KEY, **settings: Any) -> Report:
    """Run the worker once."""
    ports = world.ports(scoring=world.scoring, codes=world.codes)
    return ProcessScheduledWave(**ports, **settings)(AssignCodesRequest.parse({"fileKey": key}))


def errors(world: World) -> list[tuple[str, str]]:
    """Return fan and reason of each row in the errors file."""
    rows = table(world.scoring.open(ERRORS).read())
    return [(row.get("globalUserId", ""), row["reason"]) for row in rows]


def test_codes_of_a_file_are_assigned() -> None:
    """External codes are assigned to the fans of their rows, in the pool or not."""
    world = build_world(row("g1", "A"), row("g2", "KNOWN"), row("g3", "TM"), row("g4", ""))
    report = process(world)
    assert report.to_json() == {
        "campaignId": "tour",
        "fileKey": KEY,
        "count": {
            "in": 4,
            "valid": 2,
            "ignored": 2,
            "updated": 2,
            "alreadyAssigned": 0,
            "refused": 0,
        },
    }
    assert not report.imbalances
    results = world.codes.assign("tour", [assignment("g1", "A"), assignment("g9", "KNOWN")])
    assert [result.outcome for result in results] == ["alreadyAssigned", "refused"]
    assert ERRORS not in contents(world.scoring)


def test_refused_rows_are_in_the_errors_file() -> None:
    """Codes that are assigned or reserved elsewhere, and rows without a fan, have a reason."""
    world = build_world(row("g1", "TAKEN"), row("g2", "HELD"), row("", "X"), row("g3", "Y"))
    report = process(world)
    assert (report.counts["valid"], report.counts["refused"]) == (4, 3)
    assert not report.imbalances
    assert errors(world) == [
        ("g1", "assigned elsewhere"),
        ("g2", "reserved elsewhere"),
        ("", "globalUserId: missing"),
    ]
    first = table(world.scoring.open(ERRORS).read())[0]
    assert (first["email"], first["worker"]) == ("g1@mail.example", "processScheduledWave")


def test_a_duplicate_code_is_assigned_to_its_first_row() -> None:
    """A repeated row is no error; another fan or market with the same code is."""
    world = build_world(row("g1", "A"), row("g1", "A"), row("g2", "A"), row("g1", "A", "lax"))
    report = process(world)
    assert report.counts == {
        "in": 4,
        "valid": 4,
        "ignored": 0,
        "updated": 1,
        "alreadyAssigned": 1,
        "refused": 2,
    }
    reason = "code: an earlier row assigns this code to another fan"
    assert errors(world) == [("g2", reason), ("g1", reason)]


@attrs.define
class RecordingCodeService:
    """A code service that records the campaign and the size of each call."""

    world: World
    calls: list[tuple[str, int]] = attrs.field(factory=list)

    def assign(self, campaign_id: str, assignments: Any) -> Any:
        """Assign as the code service does."""
        self.calls.append((campaign_id, len(assignments)))
        return self.world.codes.assign(campaign_id, assignments)


def test_codes_are_assigned_in_batches_of_2500() -> None:
    """The default batch is the largest one that the service accepts."""
    world = build_world(*(row(f"g{number}", f"C{number}") for number in range(1, 2503)))
    codes = RecordingCodeService(world)
    worker = ProcessScheduledWave(
        scoring=world.scoring,
        codes=codes,  # type: ignore[arg-type]
    )
    assert worker(AssignCodesRequest.parse({"fileKey": KEY})).counts["updated"] == 2502
    assert codes.calls == [("tour", 2500), ("tour", 2)]
    with pytest.raises(RejectRecord):
        world.codes.assign("tour", [assignment()] * 2501)


@pytest.mark.parametrize(
    "place",
    [
        "scheduled/tour_w1_csv",
        "triggered/tour_w1_csv",
        "completed/tour_w1_csv",
        "failed/tour_w1_csv",
        "generateCode/generateCode_tour_w1",
    ],
)
def test_the_campaign_is_that_of_the_config_in_whatever_state(place: str) -> None:
    """A config in any state names the campaign; the file name does not matter."""
    world = build_world(row("g1", "A"))
    config = json.dumps(wave_config(campaignId="other")).encode()
    world.scoring.put(f"smsWaves/{place}.json", config)
    assert process(world).details["campaignId"] == "other"


def test_without_a_config_the_file_name_has_the_campaign() -> None:
    """The campaign id is the file name up to its last underscore."""
    world = World()
    world.scoring.put("smsWaves/csv/summer_tour_2026.csv", wave_rows(row("g1", "A")))
    assert process(world, "smsWaves/csv/summer_tour_2026.csv").details["campaignId"] == (
        "summer_tour"
    )


@pytest.mark.parametrize("name", ["wave", "_1", "our tour_1"])
def test_a_wave_without_a_campaign_is_rejected(name: str) -> None:
    """Nothing is assigned without a campaign id."""
    world = World()
    world.scoring.put(f"smsWaves/csv/{name}.csv", wave_rows(row("g1", "A")))
    with pytest.raises(BadInput, match="the wave has no config"):
        process(world, f"smsWaves/csv/{name}.csv")


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"fileKey": 5},
        {"fileKey": ""},
        {"fileKey": "smsWaves/csv/.csv"},
        {"fileKey": "smsWaves/csv/../x.csv"},
        {"fileKey": "smsWaves/csv/a/b.csv"},
        {"fileKey": "scored/a.txt"},
    ],
)
def test_a_request_names_a_wave_file(payload: dict[str, Any]) -> None:
    """Any other request is rejected with the name of the field."""
    with pytest.raises(BadInput, match=r"^fileKey: "):
        AssignCodesRequest.parse(payload)


def test_a_key_is_not_decoded() -> None:
    """Keys of invocations are not URL-encoded: plus and percent signs are part of them."""
    assert AssignCodesRequest.parse({"fileKey": "smsWaves/csv/a+b%20 c.csv"}).wave == "a+b%20 c"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "smsWaves/csv/tour_w1.csv: expected a header"),
        (b"code,globalUserId\nA,g1\n", "line 1, doNotText, email, firstName"),
        (wave_rows(row("g1", "A")) + b"A,B\n", "line 3: expected 12 cells, got 2"),
    ],
)
def test_an_invalid_wave_file_is_rejected(content: bytes, message: str) -> None:
    """The error names file, line and columns."""
    world = build_world()
    world.scoring.put(KEY, content)
    with pytest.raises(BadInput, match=message):
        process(world)


def test_a_missing_file_is_an_error() -> None:
    """The caller gets NotFound."""
    with pytest.raises(NotFound, match=KEY):
        process(World())


def test_a_config_that_cannot_be_read_is_an_error() -> None:
    """No code is assigned to a guessed campaign."""
    world = build_world(row("g1", "A"))
    world.scoring.put("smsWaves/scheduled/tour_w1_csv.json", b"{")
    with pytest.raises(BadInput, match=r"scheduled/tour_w1_csv\.json: expected JSON"):
        process(world)


def test_a_header_alone_has_nothing_to_assign() -> None:
    """Zero rows give zero counts and no errors file."""
    world = build_world()
    assert set(process(world).counts.values()) == {0}


def test_a_second_run_assigns_nothing_and_keeps_the_same_errors() -> None:
    """Updated codes are already assigned, and refused rows are listed once."""
    world = build_world(row("g1", "A"), row("g2", "TAKEN"))
    process(world)
    once = contents(world.scoring)
    counts = process(world).counts
    assert (counts["updated"], counts["alreadyAssigned"], counts["refused"]) == (0, 1, 1)
    assert contents(world.scoring) == once


def test_a_repaired_file_has_no_errors_left() -> None:
    """The errors file has the errors of the last run only."""
    world = build_world(row("g2", "TAKEN"))
    process(world)
    world.scoring.put(KEY, wave_rows(row("g2", "OTHER")))
    process(world)
    assert errors(world) == []


def test_a_failing_service_fails_the_run() -> None:
    """The run may be repeated."""
    world = build_world(row("g1", "A"), row("g2", "TAKEN"))
    with world.codes.faults.outage(), pytest.raises(RetryLater):
        process(world)
    assert process(world).counts["updated"] == 1


REASONS = {
    "assigned elsewhere",
    "reserved elsewhere",
    "the fan has another code for this market",
    "code: an earlier row assigns this code to another fan",
    "globalUserId: missing",
}
rows = st.builds(
    row,
    st.sampled_from(["g1", "g2", ""]),
    st.sampled_from(["A", "B", "TAKEN", "TM", ""]),
    st.sampled_from(["nyc", "chi", ""]),
)


@given(st.lists(rows, max_size=12), st.integers(1, 5))
def test_counts_add_up_and_every_refusal_has_its_reason(
    wave: list[dict[str, str]], size: int
) -> None:
    """For any file and batch size, each row counts once and each refused row is kept."""
    world = build_world(*wave)
    report = process(world, batch_size=size)
    assert not report.imbalances
    assert report.counts["in"] == len(wave)
    kept = errors(world) if ERRORS in contents(world.scoring) else []
    assert len(kept) == report.counts["refused"]
    told = (
        {cells["reason"] for cells in table(world.scoring.open(ERRORS).read())} if kept else set()
    )
    assert told <= REASONS


def test_it_may_be_killed_at_any_call() -> None:
    """Killed before or after any port call and run again, it ends as one clean run."""

    def build(wrap: Any) -> CrashCase:
        wave = [row("g1", "A"), row("g2", "TAKEN"), row("g3", "B"), row("g4", "TM"), row("", "C")]
        world = build_world(*wave, wrap=wrap)
        return CrashCase(
            run=lambda: process(world, batch_size=2),
            snapshot=lambda: (contents(world.scoring), list(world.tables("codes").scan())),
        )

    assert assert_survives_every_kill(build) >= 18
