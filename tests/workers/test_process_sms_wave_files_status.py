"""processSmsWaveFiles: runs that exclude each other, fail, and are repeated."""

import json
from contextlib import suppress
from datetime import timedelta

import pytest

from campaign_workers.domain.errors import BadInput, Conflict, RetryLater
from tests.wave_prep_scenes import ARCHIVE, DETAILS, STATUS, TWO_MARKETS, Scene, prepared
from tests.worlds import Meanwhile


def test_a_finished_wave_answers_the_same_again() -> None:
    """A second call changes nothing and returns what the first one did."""
    scene = prepared()
    first = scene.run()
    archive = scene.scoring.open(ARCHIVE).read()
    scene.fan("g9", 1.0, ["nyc"])
    assert scene.run() == first
    assert scene.scoring.open(ARCHIVE).read() == archive


def test_equal_input_gives_equal_bytes() -> None:
    """Two campaigns with the same fans, codes and seed give the same archive."""
    archives = []
    for _ in range(2):
        scene = prepared()
        scene.run()
        scene.clock.advance(timedelta(hours=1))
        archives.append(scene.scoring.open(ARCHIVE).read())
    assert archives[0] == archives[1]


def test_a_live_lease_keeps_others_out() -> None:
    """While a run may still be at it, another one is refused and changes nothing."""
    scene = prepared()
    scene.scoring.put(STATUS, status("TRIGGERED", 1, "2026-10-01T12:10:00Z"))
    with pytest.raises(Conflict, match="another run holds the lease until 2026-10-01T12:10:00Z"):
        scene.run()
    assert scene.status()["attempts"] == 1


def status(state: str, attempts: int, lease: str | None = None) -> bytes:
    content = {"status": state, "attempts": attempts, "request": {}, "leaseUntil": lease}
    return json.dumps(
        {name: value for name, value in content.items() if value is not None}
    ).encode()


def test_a_lease_that_ran_out_is_taken_over() -> None:
    """A run that died does not block the wave for ever."""
    scene = prepared()
    scene.scoring.put(STATUS, status("TRIGGERED", 1, "2026-10-01T11:59:00Z"))
    assert scene.run().counts["out"] == 4
    assert (scene.status()["status"], scene.status()["attempts"]) == ("FINISHED", 2)


def overtaken(at: int) -> tuple[Scene, int]:
    """Another run takes over, with one more fan, just before a call of one whose lease is over."""
    scene = prepared()
    scene.lease = timedelta(0)

    def takes_over() -> None:
        scene.wrap = lambda port: port
        scene.fan("g0", 0.99, ["chi"])
        scene.run()

    meanwhile = Meanwhile(at=at, happens=takes_over)
    scene.wrap = meanwhile.wrap
    with suppress(Conflict):
        scene.run()
    return scene, meanwhile.calls


def test_an_overtaken_run_leaves_the_archive_of_the_other() -> None:
    """Whatever it was doing: archive, status and reservations are those of whoever took over."""
    _, calls = overtaken(0)
    archives = set()
    for at in range(1, calls):
        scene, _ = overtaken(at)
        assert scene.status()["status"] == "FINISHED", at
        assert scene.cells("masterCodes/chi.csv", "globalUserId")[0] == ("g0",), at
        codes = {code for (code,) in scene.cells("masterCodes/chi.csv", "code")}
        assert codes == set(scene.pool()), at
        archives.add(scene.scoring.open(ARCHIVE).read())
    assert len(archives) == 1


@pytest.mark.parametrize("state", ["FAILED", "TRIGGERED"])
def test_two_attempts_are_enough(state: str) -> None:
    """After two attempts a person has to look, whether they failed or died."""
    scene = prepared()
    scene.scoring.put(STATUS, status(state, 2))
    with pytest.raises(Conflict, match="2 attempts failed"):
        scene.run()


def test_a_failed_attempt_says_why_and_the_next_one_may_succeed() -> None:
    """The status has the reason; once the cause is mended, the second attempt finishes."""
    scene = prepared(details="marketId,marketName,ticketType,limit\nnyc,New York,TM,-1\n")
    with pytest.raises(BadInput):
        scene.run()
    assert scene.status()["status"] == "FAILED"
    assert scene.status()["reason"] == (
        f"BadInput: {DETAILS}, line 2, limit: expected an integer from 0 to 2^63 - 1; "
        "0 selects no fan"
    )
    scene.scoring.put(DETAILS, TWO_MARKETS.encode())
    assert scene.run().counts["out"] == 4
    assert scene.status()["attempts"] == 2
    assert "reason" not in scene.status()


@pytest.mark.parametrize("service", ["campaigns", "codes", "entries"])
def test_a_service_that_fails_leaves_a_failed_status(service: str) -> None:
    """What can be tried again is raised, with the status for whoever tries."""
    scene = prepared()
    getattr(scene, service).faults.fail_next(RetryLater("busy"))
    with pytest.raises(RetryLater):
        scene.run()
    assert scene.status()["reason"] == "RetryLater: busy"
    assert scene.run().counts["out"] == 4
