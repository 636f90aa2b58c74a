"""Both deadlines keep their contract."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.adapters.system.deadlines import CountdownDeadline, Unlimited
from campaign_workers.testing.contracts.deadline import DeadlineContract, Wait


class TestUnlimited(DeadlineContract):
    """`Unlimited`."""

    limit_seconds = math.inf

    @pytest.fixture
    def deadline(self) -> Unlimited:
        return Unlimited()

    @pytest.fixture
    def wait(self) -> Wait:
        return lambda seconds: None


class TestCountdownDeadline(DeadlineContract):
    """`CountdownDeadline`."""

    limit_seconds = 3.0

    @pytest.fixture
    def clock(self) -> SteppedClock:
        return SteppedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))

    @pytest.fixture
    def deadline(self, clock: SteppedClock) -> CountdownDeadline:
        return CountdownDeadline(clock, clock.now() + timedelta(seconds=3))

    @pytest.fixture
    def wait(self, clock: SteppedClock) -> Wait:
        return clock.sleep
