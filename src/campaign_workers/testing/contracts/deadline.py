"""Contract of `Deadline`."""

from collections.abc import Callable
from typing import ClassVar

import pytest

from campaign_workers.ports.system import Deadline
from campaign_workers.testing.contracts._base import Contract

Wait = Callable[[float], object]
"""Advances the clock of the deadline by a number of seconds."""


class DeadlineContract(Contract):
    """Fixtures: `deadline` of a run that ends `limit_seconds` from now, if ever; `wait`."""

    limit_seconds: ClassVar[float]
    tolerance_seconds: ClassVar[float] = 1e-6

    def test_all_time_remains_at_first(self, deadline: Deadline) -> None:
        """The full limit remains at the start."""
        left = pytest.approx(self.limit_seconds, abs=self.tolerance_seconds)
        assert deadline.remaining_seconds() == left

    def test_elapsed_time_is_subtracted(self, deadline: Deadline, wait: Wait) -> None:
        """Elapsed time does not remain; a run without limit has none."""
        for waited in (0.25, 0.5):
            wait(0.25)
            left = pytest.approx(self.limit_seconds - waited, abs=self.tolerance_seconds)
            assert deadline.remaining_seconds() == left

    def test_remaining_time_is_never_negative(self, deadline: Deadline, wait: Wait) -> None:
        """After the deadline zero seconds remain."""
        wait(min(self.limit_seconds, 10.0) + 1.0)
        assert deadline.remaining_seconds() >= 0
        assert (deadline.remaining_seconds() == 0) == (self.limit_seconds <= 10)
