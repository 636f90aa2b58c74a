"""Injected faults occur as specified, and contracts cannot be overridden."""

import asyncio

import pytest

from campaign_workers.adapters.fakes.codes import FakeCodeService, FakeOfferCodes
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.errors import OutcomeUnknown, PermanentFailure, RetryLater
from campaign_workers.testing.builders import CREATED, assignment, offer_code_request
from campaign_workers.testing.contracts._base import Contract


@pytest.fixture
def pool() -> FakeCodeService:
    """A pool with one code."""
    pool = FakeCodeService(DictTables(), SteppedClock(CREATED))
    pool.load("tour", ["CODE1"])
    return pool


def test_a_fault_strikes_once(pool: FakeCodeService) -> None:
    """The next call fails, and the one after it succeeds."""
    pool.faults.fail_next(RetryLater("busy"))
    with pytest.raises(RetryLater, match="busy"):
        pool.available("tour")
    assert pool.available("tour") == 1


def test_a_fault_strikes_as_often_as_ordered(pool: FakeCodeService) -> None:
    """Faults occur in the order of injection."""
    pool.faults.fail_next(RetryLater("busy"), times=2)
    pool.faults.fail_next(PermanentFailure("closed"))
    for expected in (RetryLater, RetryLater, PermanentFailure):
        with pytest.raises(expected):
            pool.available("tour")
    assert pool.available("tour") == 1


def test_a_fault_waits_for_its_method(pool: FakeCodeService) -> None:
    """A fault of one method does not affect other methods."""
    pool.faults.fail_next(RetryLater("busy"), call="assign")
    assert pool.available("tour") == 1
    with pytest.raises(RetryLater):
        pool.assign("tour", [assignment()])
    assert pool.available("tour") == 1


def test_a_lost_answer_comes_after_the_deed(pool: FakeCodeService) -> None:
    """The request takes effect, but its response is lost."""
    pool.faults.fail_next(OutcomeUnknown("no answer"), answer_lost=True)
    with pytest.raises(OutcomeUnknown):
        pool.assign("tour", [assignment()])
    assert pool.available("tour") == 0
    assert pool.assign("tour", [assignment()])[0].outcome == "alreadyAssigned"


def test_an_outage_ends(pool: FakeCodeService) -> None:
    """Every call fails during an outage, and none after it."""
    with pool.faults.outage(PermanentFailure("closed")):
        for _ in range(3):
            with pytest.raises(PermanentFailure):
                pool.available("tour")
    assert pool.available("tour") == 1


def test_coroutines_fail_too() -> None:
    """Faults also affect coroutines."""
    mint = FakeOfferCodes(DictTables())
    mint.faults.fail_next(RetryLater("busy"), call="create")
    with pytest.raises(RetryLater):
        asyncio.run(mint.create(offer_code_request()))
    assert asyncio.run(mint.create(offer_code_request()))


def test_a_contract_cannot_be_weakened() -> None:
    """A subclass that replaces a test of the contract is refused."""

    class Suite(Contract):
        def test_something(self) -> None:
            """Something holds."""

    with pytest.raises(TypeError, match="test_something"):
        type("Weaker", (Suite,), {"test_something": lambda self: None})
    assert issubclass(type("Stronger", (Suite,), {"test_more": lambda self: None}), Suite)
