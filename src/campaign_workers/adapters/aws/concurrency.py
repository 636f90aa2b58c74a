"""Concurrent calls in order, and backoff between retries; the adapters of AWS share both."""

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
    call: Callable[[_Item], _Result], items: Iterable[_Item], *, max_workers: int
) -> Iterator[_Result]:
    """Yield the result of `call` for each item, in order.

    At most `max_workers` items are taken from `items` before their results are consumed. When a
    call or `items` raises, the calls in flight are waited for and no further call is made.
    """
    in_flight: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(max_workers) as threads:
        try:
            for item in items:
                in_flight.append(threads.submit(call, item))
                if len(in_flight) == max_workers:
                    yield in_flight.popleft().result()
            while in_flight:
                yield in_flight.popleft().result()
        finally:
            for future in in_flight:
                future.cancel()


@attrs.frozen(kw_only=True)
class Backoff:
    """Exponential backoff with full jitter.

    Each pause is a random time below a limit that doubles with every failure. With the defaults,
    all attempts together take about ten seconds. `rng` returns a number in [0, 1).
    """

    sleep: Callable[[float], object] = time.sleep
    max_attempts: int = 10
    initial_seconds: float = 0.1
    max_seconds: float = 5
    rng: Callable[[], float] = random.random

    def wait(self, failures: int) -> None:
        """Pause after the given number of failures."""
        limit = min(self.max_seconds, self.initial_seconds * 2 ** (failures - 1))
        self.sleep(self.rng() * limit)

    def retries(self, message: str) -> Iterator[None]:
        """Pause, then yield, once for each retry that is left after a first attempt.

        Raises:
            RetryLater: with `message`, when no retry is left.
        """
        for failures in range(1, self.max_attempts):
            self.wait(failures)
            yield
        raise RetryLater(message)
