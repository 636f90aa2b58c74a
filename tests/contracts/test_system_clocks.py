"""Both clocks keep their contract."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from campaign_workers.adapters.system.clocks import SteppedClock, SystemClock
from campaign_workers.testing.contracts.clock import ClockContract


class TestSystemClock(ClockContract):
    """`SystemClock`, whose seconds are short here."""

    second = 0.05

    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()


class TestSteppedClock(ClockContract):
    """`SteppedClock`."""

    @pytest.fixture
    def clock(self) -> SteppedClock:
        return SteppedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))

    def test_it_starts_anywhere_and_tells_utc(self) -> None:
        """A moment is the same in every zone; without one it is none."""
        noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
        elsewhere = noon.astimezone(timezone(timedelta(hours=-7)))
        assert SteppedClock(elsewhere).now().isoformat() == noon.isoformat()
        with pytest.raises(ValueError, match="expected a time with a time zone"):
            SteppedClock(noon.replace(tzinfo=None))
