"""What every clock promises."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

from campaign_workers.ports.system import Clock
from campaign_workers.testing.contracts._base import Contract


class ClockContract(Contract):
    """Fixtures: `clock`. `second` is how long a second of these tests takes on it."""

    second: ClassVar[float] = 1.0

    def test_now_is_aware_and_in_utc(self, clock: Clock) -> None:
        """Nobody has to guess a time zone."""
        assert clock.now().utcoffset() == timedelta()

    def test_time_never_goes_back(self, clock: Clock) -> None:
        """Whoever looks later sees the same time or a later one."""
        seen = [clock.now() for _ in range(1000)]
        assert seen == sorted(seen)

    def test_sleeping_takes_as_long_as_it_says(self, clock: Clock) -> None:
        """The time after is the time before and the sleep, or a little later."""
        assert 0.9 <= self._taken(clock, lambda: clock.sleep(self.second)) < 20

    def test_waiting_less_than_nothing_is_no_waiting(self, clock: Clock) -> None:
        """A moment that is over already is not waited for."""
        assert self._taken(clock, lambda: clock.sleep(-100 * self.second)) < 20
        assert self._taken(clock, lambda: asyncio.run(clock.pause(-100 * self.second))) < 20

    def test_who_pauses_at_once_waits_side_by_side(self, clock: Clock) -> None:
        """A thousand pauses of a second take about one second."""

        async def pauses() -> None:
            await asyncio.gather(*(clock.pause(self.second) for _ in range(1000)))

        assert 0.9 <= self._taken(clock, lambda: asyncio.run(pauses())) < 20

    def test_who_pauses_less_goes_on_first(self, clock: Clock) -> None:
        """Others go on while somebody waits, each when the time has come."""
        woken: list[int] = []

        async def pause(seconds: int) -> None:
            for _ in range(2):
                await clock.pause(seconds * self.second)
                woken.append(seconds)

        async def pauses() -> None:
            await asyncio.gather(pause(7), pause(1), pause(3))

        asyncio.run(pauses())
        assert woken == [1, 1, 3, 3, 7, 7]

    def test_a_pause_can_be_given_up(self, clock: Clock) -> None:
        """Whoever gives up waits no more, and keeps nobody else from going on."""

        async def pauses() -> None:
            long = asyncio.ensure_future(clock.pause(1000 * self.second))
            await clock.pause(self.second)
            long.cancel()
            await clock.pause(self.second)
            assert long.cancelled()

        assert 1.8 <= self._taken(clock, lambda: asyncio.run(pauses())) < 40

    def _taken(self, clock: Clock, wait: Callable[[], object]) -> float:
        """How long `wait` takes on the clock, in seconds of these tests."""
        before = clock.now()
        wait()
        return (clock.now() - before).total_seconds() / self.second
