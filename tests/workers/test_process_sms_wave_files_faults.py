"""processSmsWaveFiles: what it refuses, and what a kill at any call leaves behind."""

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
    Scene,
    prepared,
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
def test_market_details_are_refused_with_their_place(details: bytes, words: str) -> None:
    """File, line and field say what to mend, and no code stays reserved for it."""
    scene = prepared(details=details)
    with pytest.raises(BadInput) as caught:
        scene.run()
    assert words in str(caught.value)
    assert DETAILS in str(caught.value)
    assert scene.pool() == {}


def test_market_details_may_come_from_a_spreadsheet() -> None:
    """A BOM, CRLF, spaces, and cells that the campaign knows better make no difference."""
    details = "\ufeffmarketId,marketName,ticketType,limit\r\n nyc , ,, 2 \r\nchi,,NON_TM,2\r\n"
    scene = prepared(details=details)
    assert scene.run().counts["out"] == 4
    assert scene.cells("masterCodes/chi.csv", "code") == [("EXT1",), ("EXT2",)]


def test_a_limit_of_zero_takes_nobody() -> None:
    """A market that is closed for this run stays in the archive, empty."""
    scene = prepared(TWO_MARKETS.replace("NON_TM,2", "NON_TM,0"))
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
def test_a_wrong_invocation_is_refused_before_anything_happens(
    payload: dict[str, Any], field: str
) -> None:
    """The error names the field; there is no status and no attempt is used up."""
    scene = prepared()
    with pytest.raises(BadInput, match=field):
        scene.run(**payload)
    assert list(scene.scoring.list("wavePrep/tour/status/")) == []


@pytest.mark.parametrize("missing", ["campaign", "details", "seed"])
def test_what_is_not_there_is_named(missing: str) -> None:
    """An unknown campaign, missing market details and a missing seed end the attempt."""
    scene = prepared()
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
def test_a_status_that_is_none_is_left_to_a_person(content: bytes) -> None:
    """Nothing is overwritten that might be the record of a finished wave."""
    scene = prepared()
    scene.scoring.put(STATUS, content)
    with pytest.raises(BadInput, match="expected the status"):
        scene.run()
    assert scene.scoring.open(STATUS).read() == content


def test_a_run_that_was_overtaken_writes_nothing_more() -> None:
    """Who lost the lease while selecting neither replaces the archive nor the status."""
    scene = prepared()
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


def test_a_killed_run_is_simply_run_again() -> None:
    """Killed before or after any call and run again: the same archive, codes and result."""

    def build(wrap: Callable[[Any], Any]) -> CrashCase:
        scene = prepared(TWO_MARKETS.replace("NON_TM,2", "NON_TM,4"), wrap=wrap)

        def run() -> object:
            scene.clock.advance(scene.lease)
            return scene.run()

        return CrashCase(run=run, snapshot=lambda: seen(scene))

    assert assert_survives_every_kill(build) >= 20


def seen(scene: Scene) -> object:
    """All that is left; when it happened and in which attempt are the run's own affair."""
    status = scene.status()
    status.pop("attempts")
    status["result"].pop("reservationExpires")
    return scene.scoring.open(ARCHIVE).read(), scene.pool(), status


def test_no_personal_value_is_in_errors_or_the_status() -> None:
    """Codes, names, addresses and numbers stay in the archive."""
    scene = prepared(fans={})
    scene.fan("g1", 0.9, ["chi"], email="ada@mail.example", firstName="Ada")
    scene.run()
    told = json.dumps(scene.status())
    assert not any(value in told for value in ("EXT1", "ada@", "Ada", "2125550162", "s3cret"))


def test_an_unforeseen_error_is_told_by_its_kind_alone() -> None:
    """The text of an error that nobody wrote for this may hold anything."""
    scene = prepared()

    def broken(query: Any) -> Any:
        raise ValueError("ada@mail.example")

    scene.entries.eligible = broken  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="ada"):
        scene.run()
    assert scene.status()["reason"] == "ValueError"
