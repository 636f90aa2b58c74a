"""Waiting before the entries of a batch that failed are sent again."""

import random
from collections.abc import Callable
from typing import Final

import attrs

from campaign_workers.ports.system import Clock

ATTEMPTS: Final = 10
"""How often one entry is sent; with these pauses that takes ten seconds, give or take."""


@attrs.frozen(kw_only=True)
class Backoff:
    """Full jitter: a pause is anything up to a limit, which doubles from failure to failure."""

    clock: Clock
    first_seconds: float = 0.1
    longest_seconds: float = 5
    chance: Callable[[], float] = random.random

    def wait(self, failures: int) -> None:
        """Wait after so many failures."""
        limit = min(self.longest_seconds, self.first_seconds * 2 ** (failures - 1))
        self.clock.sleep(self.chance() * limit)
