"""Another attempt at what a table refuses for the moment, and the SDK does not try again."""

import random
import time
from collections.abc import Callable, Iterator

import attrs

from campaign_workers.domain.errors import RetryLater


@attrs.frozen(kw_only=True)
class Attempts:
    """Full jitter: each wait is anything up to a limit, which doubles from attempt to attempt."""

    most: int = 8
    first_seconds: float = 0.05
    longest_seconds: float = 2
    sleep: Callable[[float], object] = time.sleep
    chance: Callable[[], float] = random.random

    def waits(self, failure: str) -> Iterator[None]:
        """Each step waits before one more attempt; the first attempt is made before.

        Raises:
            RetryLater: `failure`; there were as many as there may be.
        """
        for attempt in range(self.most - 1):
            limit = min(self.longest_seconds, self.first_seconds * 2**attempt)
            self.sleep(self.chance() * limit)
            yield
        raise RetryLater(failure)
