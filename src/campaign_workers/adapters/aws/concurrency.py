"""A few calls at a time, of any number.

Waiting before something is sent again that AWS refused for the moment.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import attrs

from campaign_workers.domain.errors import RetryLater

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_concurrent(
    call: Callable[[_Item], _Result], items: Iterable[_Item], *, at_once: int
) -> Iterator[_Result]:
    """What `call` gives for each item, in order; no more than `at_once` items are held.

    When a call or `items` raises, calls under way are waited for and no other is made.
    """
    under_way: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(at_once) as threads:
        try:
            for item in items:
                under_way.append(threads.submit(call, item))
                if len(under_way) == at_once:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


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
