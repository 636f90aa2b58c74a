"""Base class and helpers of the contract suites."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Barrier
from typing import Final, TypeVar

from hypothesis import HealthCheck, settings

from campaign_workers.domain.errors import CampaignError

Outage = Callable[[], AbstractContextManager[None]]
"""Makes the service behind the adapter fail during the context."""

examples_share_fixtures = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
"""For properties of adapters: each example uses its own ids, as fixtures are shared."""


class SourceError(Exception):
    """Raised by the data source of a test; adapters must let it through."""


class Contract:
    """Tests that every adapter of one port passes unchanged.

    A subclass defines the fixtures of the suite and must not override a test.
    """

    def __init_subclass__(cls) -> None:
        """Refuse a subclass that replaces a test.

        Raises:
            TypeError: the subclass overrides a test.
        """
        super().__init_subclass__()
        inherited = {
            name for base in cls.__mro__[1:] for name in vars(base) if name.startswith("test_")
        }
        if weakened := sorted(inherited & vars(cls).keys()):
            raise TypeError(f"{cls.__name__} overrides contract tests: {weakened}")


_T = TypeVar("_T")

RACE_TIMEOUT_SECONDS: Final = 20
"""The time after which a test fails if the threads do not meet, instead of hanging."""


def race(*calls: Callable[[], _T]) -> list[_T | CampaignError]:
    """Make the calls in threads at the same moment, and return the result or error of each."""
    start = Barrier(len(calls), timeout=RACE_TIMEOUT_SECONDS)

    def run(call: Callable[[], _T]) -> _T | CampaignError:
        start.wait()
        try:
            return call()
        except CampaignError as error:
            return error

    with _frequent_thread_switches(), ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@contextmanager
def _frequent_thread_switches() -> Iterator[None]:
    """Switch threads a thousand times as often as usual, so that races show up."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(interval / 1000)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
