"""The `Deadline` port: no limit, or a fixed end of the run."""

import math
from datetime import datetime

import attrs

from campaign_workers.ports.system import Clock


class Unlimited:
    """Serves `Deadline` without a limit."""

    def remaining_seconds(self) -> float:
        """See `Deadline.remaining_seconds`."""
        return math.inf


@attrs.frozen
class CountdownDeadline:
    """Serves `Deadline` with a run that ends at a given time."""

    clock: Clock
    ends: datetime

    def remaining_seconds(self) -> float:
        """See `Deadline.remaining_seconds`."""
        return max(0.0, (self.ends - self.clock.now()).total_seconds())
