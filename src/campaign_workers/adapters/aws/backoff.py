"""Waiting before another attempt, for what the SDK does not try again by itself."""

import random
import time
from collections.abc import Callable, Iterator

import attrs

from campaign_workers.domain.errors import RetryLater


@attrs.frozen(kw_only=True)
class Backoff:
    """Full jitter: each wait is anything up to a limit, which doubles from attempt to attempt."""

    attempts: int = 8
    first_seconds: float = 0.05
    longest_seconds: float = 2
    sleep: Callable[[float], object] = time.sleep
    chance: Callable[[], float] = random.random

    def waits(self, failure: str) -> Iterator[None]:
        """Each step waits before one more attempt.

        Raises:
            RetryLater: `failure`; there were `attempts` of them.
        """
        for attempt in range(self.attempts - 1):
            limit = min(self.longest_seconds, self.first_seconds * 2**attempt)
            self.sleep(self.chance() * limit)
            yield
        raise RetryLater(failure)
