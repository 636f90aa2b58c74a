"""Waiting before something is sent again that AWS refused for the moment."""

import random
import time
from collections.abc import Callable, Iterator

import attrs

from campaign_workers.domain.errors import RetryLater


@attrs.frozen(kw_only=True)
class Backoff:
    """Full jitter: a pause is anything up to a limit, which doubles from failure to failure.

    With these pauses `attempts` take ten seconds, give or take.
    """

    sleep: Callable[[float], object] = time.sleep
    attempts: int = 10
    first_seconds: float = 0.1
    longest_seconds: float = 5
    chance: Callable[[], float] = random.random

    def wait(self, failures: int) -> None:
        """Wait after so many failures."""
        limit = min(self.longest_seconds, self.first_seconds * 2 ** (failures - 1))
        self.sleep(self.chance() * limit)

    def waits(self, failure: str) -> Iterator[None]:
        """Each step waits before one more attempt; the first attempt is made before.

        Raises:
            RetryLater: `failure`; there were as many as there may be.
        """
        for failures in range(1, self.attempts):
            self.wait(failures)
            yield
        raise RetryLater(failure)
