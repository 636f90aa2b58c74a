"""processSmsWaveFiles: runs exclude each other, fail, and are repeated."""

import json
from contextlib import suppress
from datetime import timedelta

import pytest

from campaign_workers.domain.errors import BadInput, Conflict, RetryLater
from tests.wave_prep_scenes import (
    ARCHIVE,
    DETAILS,
    STATUS,
    TWO_MARKETS,
    WavePrepScene,
    prepare_scene,
)
from tests.worlds import ConcurrentAction


def test_a_finished_wave_answers_the_same_again() -> None:
    """A second call changes nothing and returns the result of the first."""
    scene = prepare_scene()
    first = scene.run()
    archive = scene.scoring.open(ARCHIVE).read()
    scene.fan("g9", 1.0, ["nyc"])
    assert scene.run() == first
    assert scene.scoring.open(ARCHIVE).read() == archive


def test_equal_input_gives_equal_bytes() -> None:
    """Two campaigns with the same fans, codes and seed give the same archive."""
    archives = []
    for _ in range(2):
        scene = prepare_scene()
        scene.run()
        scene.clock.advance(timedelta(hours=1))
        archives.append(scene.scoring.open(ARCHIVE).read())
    assert archives[0] == archives[1]


def test_a_lease_excludes_other_runs() -> None:
    """While a run holds the lease, another run fails and changes nothing."""
    scene = prepare_scene()
    scene.scoring.put(STATUS, status("TRIGGERED", 1, "2026-10-01T12:10:00Z"))
    with pytest.raises(Conflict, match="another run holds the lease until 2026-10-01T12:10:00Z"):
        scene.run()
    assert scene.status()["attempts"] == 1


def status(state: str, attempts: int, lease: str | None = None) -> bytes:
    content = {"status": state, "attempts": attempts, "request": {}, "leaseUntil": lease}
    return json.dumps(
        {name: value for name, value in content.items() if value is not None}
    ).encode()


def test_an_expired_lease_is_taken_over() -> None:
    """A run that died does not block the wave."""
    scene = prepare_scene()
    scene.scoring.put(STATUS, status("TRIGGERED", 1, "2026-10-01T11:59:00Z"))
    assert scene.run().counts["out"] == 4
    assert (scene.status()["status"], scene.status()["attempts"]) == ("FINISHED", 2)


def run_overtaken(at: int) -> tuple[WavePrepScene, int]:
    """Run with an expired lease while another run takes over just before one call."""
    scene = prepare_scene()
    scene.lease = timedelta(0)

    def takes_over() -> None:
        scene.wrap = lambda port: port
        scene.fan("g0", 0.99, ["chi"])
        scene.run()

    meanwhile = ConcurrentAction(at=at, happens=takes_over)
    scene.wrap = meanwhile.wrap
    with suppress(Conflict):
        scene.run()
    return scene, meanwhile.calls


def test_an_overtaken_run_leaves_the_archive_of_the_other() -> None:
    """Archive, status and reservations are those of the run that took over."""
    _, calls = run_overtaken(0)
    archives = set()
    for at in range(1, calls):
        scene, _ = run_overtaken(at)
        assert scene.status()["status"] == "FINISHED", at
        assert scene.cells("masterCodes/chi.csv", "globalUserId")[0] == ("g0",), at
        codes = {code for (code,) in scene.cells("masterCodes/chi.csv", "code")}
        assert codes == set(scene.pool()), at
        archives.add(scene.scoring.open(ARCHIVE).read())
    assert len(archives) == 1


@pytest.mark.parametrize("state", ["FAILED", "TRIGGERED"])
def test_a_third_attempt_is_rejected(state: str) -> None:
    """After two attempts an operator has to act, whether they failed or died."""
    scene = prepare_scene()
    scene.scoring.put(STATUS, status(state, 2))
    with pytest.raises(Conflict, match="2 attempts failed"):
        scene.run()


def test_a_failed_attempt_has_a_reason_and_the_next_may_succeed() -> None:
    """Once the cause is fixed, the second attempt finishes."""
    scene = prepare_scene(details="marketId,marketName,ticketType,limit\nnyc,New York,TM,-1\n")
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
    """A temporary failure is raised, and the status is FAILED."""
    scene = prepare_scene()
    getattr(scene, service).faults.fail_next(RetryLater("busy"))
    with pytest.raises(RetryLater):
        scene.run()
    assert scene.status()["reason"] == "RetryLater: busy"
    assert scene.run().counts["out"] == 4
