"""What every deadline promises."""

from collections.abc import Callable
from typing import ClassVar

import pytest

from campaign_workers.ports.system import Deadline
from campaign_workers.testing.contracts._base import Contract

Wait = Callable[[float], object]
"""Lets seconds go by on the clock that ends the run."""


class DeadlineContract(Contract):
    """Fixtures: `deadline` of a run that ends `limit_seconds` from now, if ever; `wait`."""

    limit_seconds: ClassVar[float]
    tolerance_seconds: ClassVar[float] = 1e-6

    def test_what_is_left_is_what_was_given(self, deadline: Deadline) -> None:
        """All of it at first."""
        left = pytest.approx(self.limit_seconds, abs=self.tolerance_seconds)
        assert deadline.remaining_seconds() == left

    def test_waiting_is_taken_off(self, deadline: Deadline, wait: Wait) -> None:
        """What went by is not left any more; what never ends, never ends."""
        for waited in (0.25, 0.5):
            wait(0.25)
            left = pytest.approx(self.limit_seconds - waited, abs=self.tolerance_seconds)
            assert deadline.remaining_seconds() == left

    def test_less_than_nothing_is_never_left(self, deadline: Deadline, wait: Wait) -> None:
        """A run that is over has no seconds left."""
        wait(min(self.limit_seconds, 10.0) + 1.0)
        assert deadline.remaining_seconds() >= 0
        assert (deadline.remaining_seconds() == 0) == (self.limit_seconds <= 10)
