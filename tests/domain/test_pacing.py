"""Texts spread over time: no second has more than its rate, and no time is wasted."""

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
    """The times of texts, each so many microseconds after it was due, if there was no hurry."""
    pace, now, gone = RateLimiter(rate, start=START), START, []
    for delay in late:
        now = max(now, pace.next_slot()) + timedelta(microseconds=delay)
        pace.record(now)
        gone.append(now)
    return gone


@given(rates, delays)
def test_no_second_has_more_texts_than_the_rate(rate: float, late: list[int]) -> None:
    """However late single texts are, every one-second window holds at most `rate`, or one."""
    gone = run(rate, late)
    for first, start in enumerate(gone):
        assert sum(at < start + SECOND for at in gone[first:]) <= max(rate, 1)


@given(rates, delays)
def test_a_rate_below_one_holds_over_its_own_interval(rate: float, late: list[int]) -> None:
    """With less than one text a second, no two are nearer than the rate says."""
    gone = run(rate, late)
    if rate < 1:
        gaps = [b - a for a, b in pairwise(gone)]
        assert all(gap.total_seconds() >= 1 / rate - 1e-6 for gap in gaps)


@given(rates, delays)
def test_a_text_in_time_is_never_held_up_for_long(rate: float, late: list[int]) -> None:
    """A text is due an interval after the last one, or a second after the one `rate` before."""
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
def test_a_second_run_keeps_to_the_rate_of_the_first(
    rate: float, first: list[int], second: list[int]
) -> None:
    """A run that begins when another has ended makes no window too full."""
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
    """As many intervals as there are texts in a second last a second at least."""
    most = max(1, min(int(rate), 10_000))
    assert text_interval(rate) * most >= SECOND
    assert text_interval(rate).total_seconds() >= 1 / max(rate, 1) - 1e-6 or rate > 10_000


def test_a_rate_beyond_every_service_takes_no_memory() -> None:
    """A rate of a million a second is paced like ten thousand."""
    assert text_interval(1e6) == timedelta(microseconds=100)
    assert RateLimiter(1e6, start=START).next_slot() == START + SECOND
