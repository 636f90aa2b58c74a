"""Callers at the same moment."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Final, TypeVar

from campaign_workers.domain.errors import CampaignError

_T = TypeVar("_T")

PATIENCE_SECONDS: Final = 20
"""How long callers wait for one another before the test fails instead of hanging."""


def race(*calls: Callable[[], _T]) -> list[_T | CampaignError]:
    """What each of `calls` returns or raises when threads make them at the same moment."""
    start = Barrier(len(calls), timeout=PATIENCE_SECONDS)

    def run(call: Callable[[], _T]) -> _T | CampaignError:
        start.wait()
        try:
            return call()
        except CampaignError as error:
            return error

    with _switching_often(), ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@contextmanager
def _switching_often() -> Iterator[None]:
    """Let threads take turns a thousand times as often, so that what can go wrong does."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 1000)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
