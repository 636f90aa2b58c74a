"""The rate limiter: no second has more texts than the rate, and no time is wasted."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.waves.plans import RateLimiter, text_interval

START = datetime(2026, 11, 20, 17, tzinfo=UTC)
SECOND = timedelta(seconds=1)

rates = st.sampled_from((1 / 300, 0.3, 0.5, 1, 1.5, 2, 2.5, 3, 7, 30, 100.9)) | st.floats(0.01, 200)
delays = st.lists(
    st.sampled_from((0, 0, 0, 1, 999, 40_000, 400_000, 3_000_000)), min_size=1, max_size=150
)


def run(rate: float, late: list[int]) -> list[datetime]:
    """Return the times of texts, each the given number of microseconds after its slot."""
    pace, now, gone = RateLimiter(rate, start=START), START, []
    for delay in late:
        now = max(now, pace.next_slot()) + timedelta(microseconds=delay)
        pace.record(now)
        gone.append(now)
    return gone


@given(rates, delays)
def test_no_second_has_more_texts_than_the_rate(rate: float, late: list[int]) -> None:
    """However late single texts are, every window of one second has at most `rate`."""
    gone = run(rate, late)
    for first, start in enumerate(gone):
        assert sum(at < start + SECOND for at in gone[first:]) <= max(rate, 1)


@given(rates, delays)
def test_a_rate_below_one_holds_over_its_own_interval(rate: float, late: list[int]) -> None:
    """With less than one text a second, two texts are at least one interval apart."""
    gone = run(rate, late)
    if rate < 1:
        gaps = [b - a for a, b in pairwise(gone)]
        assert all(gap.total_seconds() >= 1 / rate - 1e-6 for gap in gaps)


@given(rates, delays)
def test_the_next_slot_is_never_later_than_needed(rate: float, late: list[int]) -> None:
    """The next slot is an interval after the last, or a second after the `rate`-th last."""
    gone = run(rate, late)
    most = max(1, int(rate))
    span = max(SECOND, text_interval(rate))
    for number, at in enumerate(gone[1:], 1):
        before = gone[number - most] if number >= most else START
        soonest = max(gone[number - 1] + text_interval(rate), before + span)
        assert at - timedelta(microseconds=late[number]) <= soonest


@given(rates, st.integers(1, 300))
def test_texts_in_time_are_spread_evenly(rate: float, texts: int) -> None:
    """Without delays the first text waits a second, and the others an interval each."""
    gone = run(rate, [0] * texts)
    assert gone[0] == START + max(SECOND, text_interval(rate))
    assert {b - a for a, b in pairwise(gone)} <= {text_interval(rate)}


@given(rates, delays, delays)
def test_consecutive_runs_keep_to_the_rate(
    rate: float, first: list[int], second: list[int]
) -> None:
    """A run that starts when another ends exceeds the rate in no window."""
    gone = run(rate, first)
    pace, now = RateLimiter(rate, start=gone[-1]), gone[-1]
    for delay in second:
        now = max(now, pace.next_slot()) + timedelta(microseconds=delay)
        pace.record(now)
        gone.append(now)
    for position, start in enumerate(gone):
        assert sum(at < start + SECOND for at in gone[position:]) <= max(rate, 1)


@given(st.floats(1 / 300, 1e6))
def test_an_interval_is_never_shorter_than_the_rate_allows(rate: float) -> None:
    """`rate` intervals last at least one second."""
    most = max(1, min(int(rate), 10_000))
    assert text_interval(rate) * most >= SECOND
    assert text_interval(rate).total_seconds() >= 1 / max(rate, 1) - 1e-6 or rate > 10_000


def test_a_huge_rate_is_capped() -> None:
    """A rate of a million a second behaves like ten thousand."""
    assert text_interval(1e6) == timedelta(microseconds=100)
    assert RateLimiter(1e6, start=START).next_slot() == START + SECOND
