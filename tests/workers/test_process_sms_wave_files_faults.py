"""processSmsWaveFiles: invalid input, and kills at any call."""

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from campaign_workers.domain.errors import BadInput, Conflict, NotFound
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from tests.wave_prep_scenes import (
    ARCHIVE,
    DETAILS,
    STATUS,
    TWO_MARKETS,
    WavePrepScene,
    prepare_scene,
)

HEADER = "marketId,marketName,ticketType,limit\n"


@pytest.mark.parametrize(
    ("details", "words"),
    [
        (b"", "empty"),
        (HEADER.encode(), "no markets; add a row for each market of the wave"),
        (b"marketId,marketName,limit\nnyc,New York,2\n", "line 1, ticketType: column is missing"),
        (f"{HEADER}nyc,New York,TM,-1\n".encode(), "line 2, limit: expected an integer from 0"),
        (f"{HEADER}nyc,New York,TM,2.5\n".encode(), "line 2, limit"),
        (f"{HEADER}nyc,New York,TM,\n".encode(), "line 2, limit"),
        (f"{HEADER}nyc,New York,TM,{2**63}\n".encode(), "line 2, limit"),
        (f"{HEADER}nyc,a,TM,1\n\nnyc,b,TM,1\n".encode(), "line 4, marketId: duplicate market"),
        (f"{HEADER}nyc,New York,tm,1\n".encode(), "line 2, ticketType: expected one of TM, NON_TM"),
        (f"{HEADER}mars,Mars,TM,1\n".encode(), "line 2, marketId: unknown market"),
        (f"{HEADER}../x,Up,TM,1\n".encode(), "line 2, marketId: expected an id"),
        (f"{HEADER}nyc,New York,TM\n".encode(), "line 2: expected 4 cells, got 3"),
        (
            b"marketId,marketName,ticketType,limit,presaleDateTime\nnyc,a,TM,1,tomorrow\n",
            "line 2, presaleDateTime: expected an ISO-8601 date and time",
        ),
        (
            b"marketId,marketName,ticketType,limit,presaleDateTime\nnyc,a,TM,1,2026-11-20T15:00:00\n",
            "line 2, presaleDateTime: expected a date and time with its offset",
        ),
    ],
)
def test_invalid_market_details_are_named(details: bytes, words: str) -> None:
    """The error has file, line and field, and no code stays reserved."""
    scene = prepare_scene(details=details)
    with pytest.raises(BadInput) as caught:
        scene.run()
    assert words in str(caught.value)
    assert DETAILS in str(caught.value)
    assert scene.pool() == {}


def test_market_details_may_come_from_a_spreadsheet() -> None:
    """A BOM, CRLF, spaces and empty cells are accepted."""
    details = "\ufeffmarketId,marketName,ticketType,limit\r\n nyc , ,, 2 \r\nchi,,NON_TM,2\r\n"
    scene = prepare_scene(details=details)
    assert scene.run().counts["out"] == 4
    assert scene.cells("masterCodes/chi.csv", "code") == [("EXT1",), ("EXT2",)]


def test_a_limit_of_zero_selects_no_fan() -> None:
    """The market's files are in the archive, empty."""
    scene = prepare_scene(TWO_MARKETS.replace("NON_TM,2", "NON_TM,0"))
    scene.run()
    assert scene.rows("masterCodes/chi.csv") == []
    assert scene.pool() == {}


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"campaignId": None}, "campaignId"),
        ({"campaignId": "../tour"}, "campaignId"),
        ({"dateKey": ""}, "dateKey"),
        ({"dateKey": "a/b"}, "dateKey"),
        ({"reassign": "yes"}, "reassign"),
        ({"singleMarket": 1}, "singleMarket"),
        ({"minScore": "0.5"}, "minScore"),
        ({"maxScore": True}, "maxScore"),
    ],
)
def test_an_invalid_request_is_rejected_first(payload: dict[str, Any], field: str) -> None:
    """The error names the field; no status is written and no attempt is used."""
    scene = prepare_scene()
    with pytest.raises(BadInput, match=field):
        scene.run(**payload)
    assert list(scene.scoring.list("wavePrep/tour/status/")) == []


@pytest.mark.parametrize("missing", ["campaign", "details", "seed"])
def test_missing_input_is_named(missing: str) -> None:
    """A missing campaign, market details or seed fails the attempt."""
    scene = prepare_scene()
    options = {"campaignId": "other"} if missing == "campaign" else {}
    if missing == "details":
        scene.scoring.delete([DETAILS])
    if missing == "seed":
        scene.secrets = attrs.evolve(scene.secrets)
        scene.secrets._secrets.clear()
    with pytest.raises(NotFound):
        scene.run(**options)
    key = STATUS.replace("tour", options.get("campaignId", "tour"))
    assert json.loads(scene.scoring.open(key).read())["status"] == "FAILED"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"status": "BUSY", "attempts": 1}'])
def test_an_invalid_status_is_not_overwritten(content: bytes) -> None:
    """It might be the record of a finished wave."""
    scene = prepare_scene()
    scene.scoring.put(STATUS, content)
    with pytest.raises(BadInput, match="expected the status"):
        scene.run()
    assert scene.scoring.open(STATUS).read() == content


def test_a_run_without_its_lease_writes_nothing() -> None:
    """A run that lost the lease replaces neither the archive nor the status."""
    scene = prepare_scene()
    eligible = scene.entries.eligible
    theirs = json.dumps({"status": "TRIGGERED", "attempts": 2, "request": {}}).encode()

    def slow(query: Any) -> Any:
        scene.scoring.put(STATUS, theirs)
        return eligible(query)

    scene.entries.eligible = slow  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="another run took over"):
        scene.run()
    assert scene.scoring.open(STATUS).read() == theirs
    assert list(scene.scoring.list(ARCHIVE)) == []


def test_a_killed_run_can_be_repeated() -> None:
    """Killed before or after any call and run again: the same archive, codes and result."""

    def build(wrap: Callable[[Any], Any]) -> CrashCase:
        scene = prepare_scene(TWO_MARKETS.replace("NON_TM,2", "NON_TM,4"), wrap=wrap)

        def run() -> object:
            scene.clock.advance(scene.lease)
            return scene.run()

        return CrashCase(run=run, snapshot=lambda: observable_state(scene))

    assert assert_survives_every_kill(build) >= 20


def observable_state(scene: WavePrepScene) -> object:
    """Return the final state, without times and attempts."""
    status = scene.status()
    status.pop("attempts")
    status["result"].pop("reservationExpires")
    return scene.scoring.open(ARCHIVE).read(), scene.pool(), status


def test_no_personal_value_is_in_errors_or_the_status() -> None:
    """Codes, names, addresses and numbers are in the archive only."""
    scene = prepare_scene(fans={})
    scene.fan("g1", 0.9, ["chi"], email="ada@mail.example", firstName="Ada")
    scene.run()
    told = json.dumps(scene.status())
    assert not any(value in told for value in ("EXT1", "ada@", "Ada", "2125550162", "s3cret"))


def test_an_unexpected_error_is_named_by_its_type_only() -> None:
    """Its message may contain personal data."""
    scene = prepare_scene()

    def fail_unexpectedly(query: Any) -> Any:
        raise ValueError("ada@mail.example")

    scene.entries.eligible = fail_unexpectedly  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="ada"):
        scene.run()
    assert scene.status()["reason"] == "ValueError"
