"""The life of a code: the four laws, over any history of requests."""

from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.codes import (
    NO_MARKET,
    RESERVATION_LIFE,
    TM,
    Assignment,
    AssignmentOutcome,
    AssignmentResult,
    Code,
    is_external,
    resolve_assignment,
)
from campaign_workers.testing.builders import CAMPAIGN, assignment
from campaign_workers.testing.strategies import OPENS, assignments, codes, market_ids

NOW = OPENS
FRESH = Code(code="CODE1", campaign_id=CAMPAIGN)

Held = dict[str, dict[str, str]]


class Book:
    """A pool that follows the verdicts of `judge` and nothing else."""

    def __init__(self) -> None:
        self.codes: dict[str, Code] = {}
        self.held: Held = {}

    def assign(self, request: Assignment, now: datetime = NOW) -> AssignmentResult:
        """Judge a request, and do what it asks if it may be done."""
        code = self.codes.get(request.code, Code(code=request.code, campaign_id=CAMPAIGN))
        mine = self.held.setdefault(request.global_user_id, {})
        result = resolve_assignment(request, code, mine, now)
        if result.outcome is AssignmentOutcome.UPDATED:
            self.codes[request.code] = code.assigned_to(request)
            mine[request.market_id or NO_MARKET] = request.code
        return result

    def snapshot(self) -> tuple[dict[str, Code], Held]:
        """All that the pool knows."""
        return dict(self.codes), {fan: dict(mine) for fan, mine in self.held.items() if mine}


requests = st.lists(assignments(kinds=["external"]), max_size=12)


@given(requests)
def test_a_fan_has_one_code_for_a_market(history: list[Assignment]) -> None:
    """Whatever is asked, the first code that a fan got for a market stays the only one."""
    book, first = Book(), dict[tuple[str, str | None], str]()
    for request in history:
        if book.assign(request).outcome is not AssignmentOutcome.REFUSED:
            got = first.setdefault((request.global_user_id, request.market_id), request.code)
            assert got == request.code


@given(requests)
def test_an_external_code_has_one_fan(history: list[Assignment]) -> None:
    """Whatever is asked, no two fans hold the same code, nor one fan for two markets."""
    book = Book()
    for request in history:
        book.assign(request)
    every = [code for mine in book.held.values() for code in mine.values()]
    assert len(every) == len(set(every))


@given(requests)
def test_what_is_assigned_never_changes(history: list[Assignment]) -> None:
    """An assigned code keeps its fan and its market, whatever is asked later."""
    book, settled = Book(), dict[str, Code]()
    for request in history:
        book.assign(request)
        assert all(book.codes[code] == as_it_was for code, as_it_was in settled.items())
        settled |= {code: row for code, row in book.codes.items() if row.holder}


@given(requests, st.data())
def test_assigning_twice_is_as_once(history: list[Assignment], data: st.DataObject) -> None:
    """A repeated request changes nothing and is told that it was carried out already."""
    book = Book()
    outcomes = [book.assign(request).outcome for request in history]
    before = book.snapshot()
    for request, outcome in data.draw(st.permutations(list(zip(history, outcomes, strict=True)))):
        refused = outcome is AssignmentOutcome.REFUSED
        expected = AssignmentOutcome.REFUSED if refused else AssignmentOutcome.ALREADY_ASSIGNED
        assert book.assign(request).outcome is expected
    assert book.snapshot() == before


@given(st.integers(0, 48 * 60))
def test_a_reservation_lasts_24_hours(minutes: int) -> None:
    """A reserved code is nobody else's for 24 hours and available again from then on."""
    code = FRESH.with_reservation("r1", "nyc", NOW + RESERVATION_LIFE)
    later = NOW + timedelta(minutes=minutes)
    assert code.is_reserved(later) is (minutes < 24 * 60)
    assert code.is_available(later) is (minutes >= 24 * 60)


@given(market_ids(), market_ids() | st.none(), st.booleans())
def test_a_reservation_serves_its_market_alone(
    reserved_for: str, asked_for: str | None, expired: bool
) -> None:
    """A code under a live reservation is refused for every other market."""
    code = FRESH.with_reservation("r1", reserved_for, NOW + RESERVATION_LIFE)
    now = NOW + RESERVATION_LIFE * expired
    refused = not expired and asked_for not in {None, reserved_for}
    result = resolve_assignment(assignment(market_id=asked_for), code, {}, now)
    assert result.outcome is (AssignmentOutcome.REFUSED if refused else AssignmentOutcome.UPDATED)


@pytest.mark.parametrize(
    ("code", "held", "outcome", "reason"),
    [
        (FRESH, {}, AssignmentOutcome.UPDATED, ""),
        (
            attrs.evolve(FRESH, holder="g1"),
            {"nyc": "CODE1"},
            AssignmentOutcome.ALREADY_ASSIGNED,
            "",
        ),
        (
            attrs.evolve(FRESH, holder="g1"),
            {"lax": "CODE1"},
            AssignmentOutcome.REFUSED,
            "assigned elsewhere",
        ),
        (attrs.evolve(FRESH, holder="g2"), {}, AssignmentOutcome.REFUSED, "assigned elsewhere"),
        (
            FRESH,
            {"nyc": "OTHER"},
            AssignmentOutcome.REFUSED,
            "the fan has another code for this market",
        ),
        (FRESH, {NO_MARKET: "OTHER"}, AssignmentOutcome.UPDATED, ""),
    ],
)
def test_a_verdict_says_why(
    code: Code, held: dict[str, str], outcome: AssignmentOutcome, reason: str
) -> None:
    """Each refusal names its reason, and no value of anybody."""
    assert resolve_assignment(assignment(), code, held, NOW) == AssignmentResult(
        outcome=outcome, reason=reason
    )


@given(codes())
def test_only_a_real_code_is_external(code: str) -> None:
    """Neither the placeholder nor nothing is a code that one fan can have."""
    assert is_external(code)
    assert not is_external(TM)
    assert not is_external("")


def test_a_released_code_is_as_new() -> None:
    """Releasing leaves no trace of the reservation."""
    assert (
        FRESH.with_reservation("r1", "nyc", NOW + RESERVATION_LIFE).without_reservation() == FRESH
    )


def test_an_assigned_code_has_no_reservation() -> None:
    """Assignment ends the reservation, for ever."""
    code = FRESH.with_reservation("r1", "nyc", NOW + RESERVATION_LIFE).assigned_to(assignment())
    assert (code.holder, code.market_id, code.reserve_id) == ("g1", "nyc", None)
    assert not code.is_available(NOW + timedelta(days=999))


def test_codes_stay_out_of_representations() -> None:
    """A code that is logged by accident is not told."""
    shown = f"{FRESH!r} {assignment()!r}"
    assert "CODE1" not in shown
