"""Access codes: the four laws of assignment over any history of requests."""

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


class CodePool:
    """A pool that applies `resolve_assignment` and nothing else."""

    def __init__(self) -> None:
        self.codes: dict[str, Code] = {}
        self.held: Held = {}

    def assign(self, request: Assignment, now: datetime = NOW) -> AssignmentResult:
        """Resolve a request and apply it if it is accepted."""
        code = self.codes.get(request.code, Code(code=request.code, campaign_id=CAMPAIGN))
        mine = self.held.setdefault(request.global_user_id, {})
        result = resolve_assignment(request, code, mine, now)
        if result.outcome is AssignmentOutcome.UPDATED:
            self.codes[request.code] = code.assigned_to(request)
            mine[request.market_id or NO_MARKET] = request.code
        return result

    def snapshot(self) -> tuple[dict[str, Code], Held]:
        """Return the state of the pool."""
        return dict(self.codes), {fan: dict(mine) for fan, mine in self.held.items() if mine}


requests = st.lists(assignments(kinds=["external"]), max_size=12)


@given(requests)
def test_a_fan_has_one_code_for_a_market(history: list[Assignment]) -> None:
    """In any history, a fan keeps the first code for a market."""
    book, first = CodePool(), dict[tuple[str, str | None], str]()
    for request in history:
        if book.assign(request).outcome is not AssignmentOutcome.REFUSED:
            got = first.setdefault((request.global_user_id, request.market_id), request.code)
            assert got == request.code


@given(requests)
def test_an_external_code_has_one_fan(history: list[Assignment]) -> None:
    """In any history, a code is assigned to one fan and one market at most."""
    book = CodePool()
    for request in history:
        book.assign(request)
    every = [code for mine in book.held.values() for code in mine.values()]
    assert len(every) == len(set(every))


@given(requests)
def test_an_assigned_code_never_changes(history: list[Assignment]) -> None:
    """In any history, an assigned code keeps its fan and its market."""
    book, settled = CodePool(), dict[str, Code]()
    for request in history:
        book.assign(request)
        assert all(book.codes[code] == as_it_was for code, as_it_was in settled.items())
        settled |= {code: row for code, row in book.codes.items() if row.holder}


@given(requests, st.data())
def test_assigning_twice_changes_nothing(history: list[Assignment], data: st.DataObject) -> None:
    """A repeated request changes nothing, and its outcome is ALREADY_ASSIGNED."""
    book = CodePool()
    outcomes = [book.assign(request).outcome for request in history]
    before = book.snapshot()
    for request, outcome in data.draw(st.permutations(list(zip(history, outcomes, strict=True)))):
        refused = outcome is AssignmentOutcome.REFUSED
        expected = AssignmentOutcome.REFUSED if refused else AssignmentOutcome.ALREADY_ASSIGNED
        assert book.assign(request).outcome is expected
    assert book.snapshot() == before


@given(st.integers(0, 48 * 60))
def test_a_reservation_lasts_24_hours(minutes: int) -> None:
    """A reserved code is unavailable for 24 hours and available again afterwards."""
    code = FRESH.with_reservation("r1", "nyc", NOW + RESERVATION_LIFE)
    later = NOW + timedelta(minutes=minutes)
    assert code.is_reserved(later) is (minutes < 24 * 60)
    assert code.is_available(later) is (minutes >= 24 * 60)


@given(market_ids(), market_ids() | st.none(), st.booleans())
def test_a_reservation_is_for_one_market(
    reserved_for: str, asked_for: str | None, expired: bool
) -> None:
    """A reserved code is refused for every other market."""
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
def test_a_refusal_has_a_reason(
    code: Code, held: dict[str, str], outcome: AssignmentOutcome, reason: str
) -> None:
    """The reason of a refusal quotes no code and no fan."""
    assert resolve_assignment(assignment(), code, held, NOW) == AssignmentResult(
        outcome=outcome, reason=reason
    )


@given(codes())
def test_only_a_real_code_is_external(code: str) -> None:
    """Neither the placeholder nor an empty string is an external code."""
    assert is_external(code)
    assert not is_external(TM)
    assert not is_external("")


def test_a_released_code_is_as_new() -> None:
    """A released code equals a code that was never reserved."""
    assert (
        FRESH.with_reservation("r1", "nyc", NOW + RESERVATION_LIFE).without_reservation() == FRESH
    )


def test_an_assigned_code_has_no_reservation() -> None:
    """Assignment ends the reservation."""
    code = FRESH.with_reservation("r1", "nyc", NOW + RESERVATION_LIFE).assigned_to(assignment())
    assert (code.holder, code.market_id, code.reserve_id) == ("g1", "nyc", None)
    assert not code.is_available(NOW + timedelta(days=999))


def test_codes_stay_out_of_representations() -> None:
    """The repr of a value does not show its code."""
    shown = f"{FRESH!r} {assignment()!r}"
    assert "CODE1" not in shown
