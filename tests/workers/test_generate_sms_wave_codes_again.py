"""generateSmsWaveCodes: a run that is repeated, killed or overtaken ends as one clean run."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import (
    Conflict,
    OutcomeUnknown,
    RetryLater,
)
from campaign_workers.domain.running.reports import Report
from campaign_workers.ports.offer_codes import OfferCodeRequest
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from tests.offer_code_scenes import (
    ERRORS,
    FILE,
    SCHEDULED,
    build_offer_code_world,
    codes,
    errors,
    generate,
    row,
)
from tests.worlds import contents, table, wave_rows


@pytest.mark.parametrize("error", [RetryLater("busy"), OutcomeUnknown("no answer")])
def test_a_failing_service_schedules_nothing(error: RetryLater) -> None:
    """The wave stays unchanged, and the next run gets the same codes."""
    once, twice = (
        build_offer_code_world(*(row(f"g{number}") for number in range(9))) for _ in range(2)
    )
    before = twice.text(FILE)
    twice.mint.faults.fail_next(error, answer_lost=True)
    with pytest.raises(type(error)):
        generate(twice)
    assert twice.text(FILE) == before
    assert SCHEDULED not in contents(twice.scoring)
    generate(twice)
    generate(once)
    assert contents(twice.scoring) == contents(once.scoring)


def test_a_file_written_meanwhile_is_not_overwritten() -> None:
    """The run fails and may be repeated."""
    world = build_offer_code_world(row("g1"))

    class ReplacingOfferCodes:
        async def create(self, request: OfferCodeRequest) -> str:
            world.scoring.put(FILE, wave_rows(row("g7")))
            return "CODE1"

    with pytest.raises((Conflict, RetryLater)):
        generate(world, ReplacingOfferCodes())
    assert codes(world) == {"g7": ""}
    generate(world)
    assert len(codes(world)["g7"]) == 10


def test_a_second_run_changes_and_recounts_nothing() -> None:
    """Removed rows stay in the errors file and in the counts."""
    world = build_offer_code_world(row("g-bad"), row("g1"), row("g2", "TM"))
    first = generate(world)
    once = contents(world.scoring)
    second = generate(world)
    assert contents(world.scoring) == once
    assert second.counts == first.counts == {"in": 3, "out": 2, "errors": 1}


def test_a_new_upload_starts_again() -> None:
    """Errors of an earlier file with this name are neither kept nor counted."""
    world = build_offer_code_world(row("g-bad"), row("g1"))
    generate(world)
    world.scoring.put(FILE, wave_rows(row("g3", "MINE")))
    assert generate(world).counts == {"in": 1, "out": 1, "errors": 0}
    assert errors(world) == []


def test_errors_of_other_workers_are_kept() -> None:
    """Each worker replaces its own rows of the errors file."""
    world = build_offer_code_world(row("g-bad"), row("g1"))
    header = "globalUserId,seat,worker,reason,waveFileSha256\n"
    theirs = "g8,1,aWorker,why,\ng9,2,processScheduledWave,why,\n"
    world.scoring.put(ERRORS, (header + theirs).encode())
    for _ in range(2):
        generate(world)
        assert [fan for fan, _ in errors(world)] == ["g8", "g-bad", "g9"]
    assert [row.get("seat") for row in table(world.scoring.open(ERRORS).read())] == [
        "1",
        None,
        "2",
    ]


rows = st.builds(
    row,
    st.sampled_from(["g1", "g2", "g3", "g-bad", ""]),
    st.sampled_from(["", "TM", "MINE"]),
    st.sampled_from(["nyc", ""]),
)


@given(st.lists(rows, max_size=10))
def test_every_row_is_in_the_wave_or_in_the_errors(wave: list[dict[str, str]]) -> None:
    """No row is lost in one run or two, and every remaining row has its own code."""
    world = build_offer_code_world(*wave)
    for _ in range(2):
        report = generate(world)
        assert not report.imbalances
        assert report.counts["in"] == len(wave)
        stayed = table(world.scoring.open(FILE).read())
        assert len(stayed) == report.counts["out"]
        assert len(errors(world)) == report.counts["errors"]
        assert all(row["code"] not in {"", "TM"} for row in stayed)
        holders = {
            (row["code"], row["globalUserId"], row.get("marketId"))
            for row in stayed
            if row["code"] != "MINE"
        }
        assert len({code for code, _, _ in holders}) == len(holders)


@pytest.mark.parametrize("wanted", [True, False])
def test_it_may_be_killed_at_any_call(wanted: bool) -> None:
    """Killed before or after any port call and run again, it ends as one clean run."""

    def build(wrap: Any) -> CrashCase:
        wave = [row("g1"), row("g-bad"), row("g2", "TM"), row("g3", "MINE"), row("")]
        world = build_offer_code_world(*wave, wrap=wrap)
        world.scoring.put(ERRORS, b"code,worker,reason,waveFileSha256\nX,aWorker,why,\n")
        reports: list[Report] = []

        def run() -> None:
            reports.append(generate(world, generateOfferCode=wanted))

        return CrashCase(run=run, snapshot=lambda: (contents(world.scoring), reports[-1].counts))

    assert assert_survives_every_kill(build) >= (20 if wanted else 6)
