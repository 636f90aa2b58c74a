"""How texts of a wave are spread over time."""

from collections import deque
from datetime import datetime, timedelta
from math import ceil
from typing import Final

_SECOND: Final = timedelta(seconds=1)
_MOST: Final = 10_000
"""Texts a second beyond which a rate is none; no service takes as many."""


class Pace:
    """When the next text may go, so that no second, wherever it begins, has more than `rate`.

    Texts are spread evenly, and what comes late is caught up within the second. The texts of an
    earlier run may have gone until `start`, so the first one waits for a second. A rate below one
    has one text every `1/rate` seconds; a broken rate is rounded down to whole texts a second.
    """

    def __init__(self, rate: float, *, start: datetime) -> None:
        most = max(1, min(int(rate), _MOST))
        self._every = interval(rate)
        self._span = max(_SECOND, self._every)
        self._gone: deque[datetime] = deque([start] * most, maxlen=most)
        self._planned = start + self._span - self._every

    def due(self) -> datetime:
        """The moment from which the next text may go."""
        return max(self._planned + self._every, self._gone[0] + self._span)

    def go(self, now: datetime) -> None:
        """Note that a text goes at `now`, which is not before `due`."""
        self._planned = max(self._planned + self._every, now - _SECOND)
        self._gone.append(now)


def interval(rate: float) -> timedelta:
    """The time between two texts, in whole microseconds, never shorter than the rate allows."""
    whole = rate if rate < 1 else min(int(rate), _MOST)
    return timedelta(microseconds=ceil(1_000_000 / whole))
