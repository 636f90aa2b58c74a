"""The `Clock` port: the machine's clock, and a simulated one."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import count

import attrs


class SystemClock:
    """Serves `Clock` with the machine's clock."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        time.sleep(max(0.0, seconds))

    async def pause(self, seconds: float) -> None:
        """See `Clock.pause`."""
        await asyncio.sleep(max(0.0, seconds))


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("expected a time with a time zone, got a naive one")
    return moment.astimezone(UTC)


@attrs.define
class SteppedClock:
    """Serves `Clock` with simulated time, which advances only on sleep and passes at once.

    Concurrent pauses overlap: the clock advances to the earliest wake-up once no other coroutine
    can run, so that a thousand concurrent pauses of one second take one second.

    Raises:
        ValueError: the start time has no time zone.
    """

    _now: datetime = attrs.field(converter=_in_utc)
    _sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = attrs.field(
        factory=list, init=False
    )
    _order: "count[int]" = attrs.field(factory=count, init=False)
    _next_turn: asyncio.Handle | None = attrs.field(default=None, init=False)

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Advance the clock."""
        self.sleep(by.total_seconds())

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        self._now += timedelta(seconds=max(0.0, seconds))

    async def pause(self, seconds: float) -> None:
        """See `Clock.pause`."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        until = self._now + timedelta(seconds=max(0.0, seconds))
        sleeper = (until, next(self._order), woken)
        heappush(self._sleepers, sleeper)
        if len(self._sleepers) == 1:
            self._settle(loop, _TURNS)
        try:
            await woken
        except BaseException:
            # A cancelled sleeper must not keep the others from waking.
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
                heapify(self._sleepers)
            raise

    def _settle(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        """Let other coroutines run for some turns, then wake the sleepers that are due first."""
        if self._next_turn:
            self._next_turn.cancel()
        if not turns and self._sleepers:
            self._wake()
            turns = _TURNS
        if self._sleepers:
            self._next_turn = loop.call_soon(self._settle, loop, turns - 1)

    def _wake(self) -> None:
        self._now = max(self._now, self._sleepers[0][0])
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, woken = heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)


_TURNS = 20
"""Turns of the event loop after which every coroutine that is ready has run."""
