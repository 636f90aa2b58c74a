"""The fake of the code service satisfies its contract."""

import pytest

from campaign_workers.adapters.fakes.codes import FakeCodeService
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.codes import TM
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.code_service import (
    CODES,
    Advance,
    Available,
    CodeServiceContract,
    Load,
)
from tests.contracts.over_tables import OverTables


class TestCodeService(OverTables, CodeServiceContract):
    """`FakeCodeService`."""

    @pytest.fixture
    def service(self, tables: Tables, clock: SteppedClock) -> FakeCodeService:
        return FakeCodeService(tables, clock)

    @pytest.fixture
    def load(self, service: FakeCodeService) -> Load:
        return service.load

    @pytest.fixture
    def available(self, service: FakeCodeService) -> Available:
        return service.available

    @pytest.fixture
    def advance(self, clock: SteppedClock) -> Advance:
        return clock.advance

    @pytest.fixture
    def outage(self, service: FakeCodeService) -> Outage:
        return service.faults.outage

    def test_loading_counts_what_is_new(self, service: FakeCodeService) -> None:
        """A code is loaded once, into one campaign; placeholders are ignored."""
        assert service.load("tour", ["A", "B", "A", TM, ""]) == 2
        assert service.load("tour", ["B", "C"]) == 1
        assert service.load("other", ["A", "D"]) == 1
        assert (service.available("tour"), service.available("other")) == (3, 1)

    def test_loading_leaves_reservations_alone(self, service: FakeCodeService) -> None:
        """Loading the same codes again makes none available."""
        service.load("tour", CODES)
        service.reserve("tour", "chi", 4, reserve_id="r1")
        assert service.load("tour", CODES) == 0
        assert service.available("tour") == 6

    def test_codes_are_reserved_in_code_order(self, service: FakeCodeService) -> None:
        """A rerun gets the same codes, in whatever order they were loaded."""
        service.load("tour", reversed(CODES))
        assert service.reserve("tour", "chi", 3, reserve_id="r1").codes == CODES[:3]
        service.release("r1", CODES[:1])
        assert service.reserve("tour", "mex", 2, reserve_id="r2").codes == (CODES[0], CODES[3])
