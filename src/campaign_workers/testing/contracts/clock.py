"""Contract of `Clock`."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

from campaign_workers.ports.system import Clock
from campaign_workers.testing.contracts._base import Contract


class ClockContract(Contract):
    """Fixtures: `clock`. `second` is the length of a test second on the clock."""

    second: ClassVar[float] = 1.0

    def test_now_is_aware_and_in_utc(self, clock: Clock) -> None:
        """The time has the offset of UTC."""
        assert clock.now().utcoffset() == timedelta()

    def test_time_never_goes_back(self, clock: Clock) -> None:
        """A later call returns the same time or a later one."""
        seen = [clock.now() for _ in range(1000)]
        assert seen == sorted(seen)

    def test_sleep_takes_the_given_time(self, clock: Clock) -> None:
        """Sleeping takes the given time, or a little longer."""
        assert 0.9 <= self._elapsed_seconds(clock, lambda: clock.sleep(self.second)) < 20

    def test_a_negative_time_is_not_waited_for(self, clock: Clock) -> None:
        """Waiting for a negative time returns at once."""
        assert self._elapsed_seconds(clock, lambda: clock.sleep(-100 * self.second)) < 20
        assert (
            self._elapsed_seconds(clock, lambda: asyncio.run(clock.pause(-100 * self.second))) < 20
        )

    def test_pauses_are_concurrent(self, clock: Clock) -> None:
        """A thousand concurrent pauses of a second take about one second."""

        async def pauses() -> None:
            await asyncio.gather(*(clock.pause(self.second) for _ in range(1000)))

        assert 0.9 <= self._elapsed_seconds(clock, lambda: asyncio.run(pauses())) < 20

    def test_shorter_pauses_end_first(self, clock: Clock) -> None:
        """Coroutines continue while others wait, each at its own time."""
        woken: list[int] = []

        async def pause(seconds: int) -> None:
            for _ in range(2):
                await clock.pause(seconds * self.second)
                woken.append(seconds)

        async def pauses() -> None:
            await asyncio.gather(pause(7), pause(1), pause(3))

        asyncio.run(pauses())
        assert woken == [1, 1, 3, 3, 7, 7]

    def test_a_pause_can_be_cancelled(self, clock: Clock) -> None:
        """A cancelled pause ends at once and does not delay others."""

        async def pauses() -> None:
            long = asyncio.ensure_future(clock.pause(1000 * self.second))
            await clock.pause(self.second)
            long.cancel()
            await clock.pause(self.second)
            assert long.cancelled()

        assert 1.8 <= self._elapsed_seconds(clock, lambda: asyncio.run(pauses())) < 40

    def _elapsed_seconds(self, clock: Clock, wait: Callable[[], object]) -> float:
        """Return how long `wait` takes on the clock, in test seconds."""
        before = clock.now()
        wait()
        return (clock.now() - before).total_seconds() / self.second
