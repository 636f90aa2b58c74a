"""Virtual time is right for many who wait side by side."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.system.clocks import SteppedClock

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOON)


def elapsed(clock: SteppedClock) -> float:
    return (clock.now() - NOON).total_seconds()


def test_a_thousand_pauses_of_a_second_take_one_second(clock: SteppedClock) -> None:
    """Who pauses at the same time waits side by side."""

    async def all_of_them() -> None:
        await asyncio.gather(*(clock.pause(1.0) for _ in range(1000)))

    asyncio.run(all_of_them())
    assert elapsed(clock) == 1.0


def test_pauses_one_after_the_other_add_up(clock: SteppedClock) -> None:
    """Ten coroutines of a hundred short pauses each take as long as one of them."""

    async def one() -> None:
        for _ in range(100):
            await clock.pause(0.25)

    async def all_of_them() -> None:
        await asyncio.gather(*(one() for _ in range(10)))

    asyncio.run(all_of_them())
    assert elapsed(clock) == 25.0


@given(
    plans=st.lists(
        st.lists(st.integers(0, 5000).map(lambda ms: ms / 1000), max_size=6),
        min_size=1,
        max_size=12,
    )
)
def test_everybody_wakes_at_the_moment_asked_for(plans: list[list[float]]) -> None:
    """Each wakes exactly when its own pauses say; the last one ends it; time never goes back."""
    clock = SteppedClock(NOON)
    seen: list[datetime] = []

    async def one(plan: list[float]) -> None:
        due = NOON
        for seconds in plan:
            await clock.pause(seconds)
            due += timedelta(seconds=seconds)
            assert clock.now() == due
            seen.append(due)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(plan) for plan in plans))

    asyncio.run(all_of_them())
    assert seen == sorted(seen)
    assert clock.now() == NOON + max(
        sum((timedelta(seconds=seconds) for seconds in plan), timedelta()) for plan in plans
    )


def test_work_handed_on_is_done_before_time_moves(clock: SteppedClock) -> None:
    """Coroutines that hand work to each other without waiting take no time."""
    moments: list[float] = []

    async def consume(work: asyncio.Queue[int]) -> None:
        for _ in range(5):
            await work.get()
            moments.append(elapsed(clock))

    async def produce(work: asyncio.Queue[int]) -> None:
        for number in range(5):
            await work.put(number)
            await clock.pause(1.0)

    async def both() -> None:
        work: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
        await asyncio.gather(produce(work), consume(work))

    asyncio.run(both())
    assert moments == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_semaphore_lets_through_as_many_as_it_says(clock: SteppedClock) -> None:
    """A hundred pauses of a second, ten at a time, take ten seconds."""

    async def one(seats: asyncio.Semaphore) -> None:
        async with seats:
            await clock.pause(1.0)

    async def all_of_them() -> None:
        seats = asyncio.Semaphore(10)
        await asyncio.gather(*(one(seats) for _ in range(100)))

    asyncio.run(all_of_them())
    assert elapsed(clock) == 10.0


async def cancelled(pause: Awaitable[None], rest: Callable[[], Awaitable[None]]) -> None:
    """Start a pause, cancel it, and go on."""
    waiting = asyncio.ensure_future(pause)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await rest()


def test_a_cancelled_pause_takes_no_time(clock: SteppedClock) -> None:
    """Whoever gives up neither moves the clock nor keeps others from waking."""
    asyncio.run(cancelled(clock.pause(3600), lambda: clock.pause(1.0)))
    assert elapsed(clock) == 1.0


def test_a_clock_outlives_its_loop(clock: SteppedClock) -> None:
    """A loop that ends amid a pause leaves nothing behind for the next one."""

    async def abandon() -> None:
        waiting = asyncio.ensure_future(clock.pause(3600))
        await asyncio.sleep(0)
        assert not waiting.done()

    asyncio.run(abandon())
    asyncio.run(clock.pause(1.0))
    assert elapsed(clock) == 1.0


def test_waiting_less_than_nothing_is_no_waiting(clock: SteppedClock) -> None:
    """A moment that is over already moves nothing back."""
    clock.sleep(-5)
    asyncio.run(clock.pause(-5))
    assert elapsed(clock) == 0.0


def test_a_thread_that_sleeps_moves_the_clock(clock: SteppedClock) -> None:
    """`sleep` and `advance` add up."""
    clock.sleep(1.5)
    clock.advance(timedelta(minutes=1))
    assert elapsed(clock) == 61.5
