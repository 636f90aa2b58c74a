"""Deadlines."""

import math
from datetime import datetime

import attrs

from campaign_workers.ports.system import Clock


class Unlimited:
    """Nobody ends the run."""

    def remaining_seconds(self) -> float:
        """See `Deadline.remaining_seconds`."""
        return math.inf


@attrs.frozen
class CountdownDeadline:
    """The run ends at a given time."""

    clock: Clock
    ends: datetime

    def remaining_seconds(self) -> float:
        """See `Deadline.remaining_seconds`."""
        return max(0.0, (self.ends - self.clock.now()).total_seconds())
