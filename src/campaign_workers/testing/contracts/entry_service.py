"""Contract of `EntryService`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.codes import NO_MARKET, TM, Assignment, AssignmentOutcome
from campaign_workers.domain.errors import RetryLater
from campaign_workers.ports.entry_service import EligibleQuery, EntryService
from campaign_workers.testing.builders import (
    CREATED,
    assignment,
    registration,
    scoring,
)
from campaign_workers.testing.contracts._base import Outage, examples_share_fixtures
from campaign_workers.testing.contracts.candidates import (
    CandidatesContract,
    Feed,
    candidates,
    fans,
)
from campaign_workers.testing.strategies import assignments

CALLS: dict[str, Callable[[EntryService], object]] = {
    "eligible": lambda service: list(
        service.eligible(EligibleQuery(campaign_id="tour", market_ids=("nyc",)))
    ),
    "assign_codes": lambda service: service.assign_codes("tour", [assignment()]),
    "codes": lambda service: service.codes("tour", ["g1"]),
}


def outcomes(service: EntryService, *requests: Assignment, campaign: str = "tour") -> list[str]:
    """Return the outcomes of assignments in one request."""
    return [str(result.outcome) for result in service.assign_codes(campaign, requests)]


class EntryServiceContract(CandidatesContract):
    """Fixtures: those of `CandidatesContract`."""

    def test_a_code_is_stored_with_its_date(self, service: EntryService) -> None:
        """A fan's codes are returned by market, with the `created` of their assignments."""
        later = CREATED + timedelta(milliseconds=1500)
        given_codes = [assignment(code="A"), assignment(code="B", market_id=None, created=later)]
        assert outcomes(service, *given_codes) == ["updated", "updated"]
        assert service.codes("tour", ["g1"]) == {
            "g1": {"nyc": ("A", CREATED), NO_MARKET: ("B", later)}
        }

    def test_a_repeat_keeps_the_first_date(self, service: EntryService) -> None:
        """A repeat with a later date changes nothing."""
        first = assignment()
        outcomes(service, first)
        assert outcomes(service, attrs.evolve(first, created=CREATED + timedelta(1))) == [
            "alreadyAssigned"
        ]
        assert service.codes("tour", ["g1"])["g1"]["nyc"] == ("CODE1", CREATED)

    def test_the_service_sets_a_missing_date(self, service: EntryService) -> None:
        """An assignment without a date gets the current one."""
        outcomes(service, assignment(created=None))
        assert service.codes("tour", ["g1"])["g1"]["nyc"][1] > datetime(2020, 1, 1, tzinfo=UTC)

    def test_fans_without_codes_are_omitted(self, service: EntryService, feed: Feed) -> None:
        """Only fans with a code in the campaign are returned."""
        feed([registration("g2"), scoring("g2")])
        outcomes(service, assignment("g1"))
        assert set(service.codes("tour", ["g1", "g2", "g9"])) == {"g1"}
        assert service.codes("other", ["g1"]) == {}
        assert service.codes("tour", []) == {}

    def test_a_fan_keeps_the_first_code_of_a_market(self, service: EntryService) -> None:
        """Another code for the same market is refused, even the placeholder."""
        requests = [assignment(code="A"), assignment(code="B"), assignment(code=TM)]
        assert outcomes(service, *requests) == ["updated", "refused", "refused"]
        assert service.codes("tour", ["g1"])["g1"]["nyc"][0] == "A"
        assert outcomes(service, assignment("g2", TM), assignment("g2", "C")) == [
            "updated",
            "refused",
        ]

    def test_a_code_has_one_fan(self, service: EntryService) -> None:
        """A code of a fan is refused to other fans, in every campaign and market."""
        outcomes(service, assignment("g1", "A"))
        assert outcomes(service, assignment("g2", "A")) == ["refused"]
        assert outcomes(service, assignment("g1", "A", market_id="chi")) == ["refused"]
        assert outcomes(service, assignment("g1", "A"), campaign="other") == ["refused"]
        assert service.codes("tour", ["g2"]) == {}

    def test_any_number_of_fans_have_the_placeholder(self, service: EntryService) -> None:
        """`TM` is assigned to many fans, once for each market."""
        requests = [assignment(f"g{number}", TM) for number in range(5)]
        assert outcomes(service, *requests) == ["updated"] * 5
        assert outcomes(service, *requests) == ["alreadyAssigned"] * 5
        assert outcomes(service, assignment("g1", TM, market_id="chi")) == ["updated"]

    def test_an_empty_code_is_refused(self, service: EntryService) -> None:
        """An empty code is refused with a reason and selects no fan."""
        (result,) = service.assign_codes("tour", [assignment(code="")])
        assert result.outcome is AssignmentOutcome.REFUSED
        assert result.reason
        assert service.codes("tour", ["g1"]) == {}

    def test_results_keep_the_order_of_the_requests(self, service: EntryService) -> None:
        """Results have the order of the requests; reasons quote no values."""
        requests = [assignment(f"g{number}", f"C{number % 5}") for number in range(10)]
        results = service.assign_codes("tour", requests)
        assert [str(result.outcome) for result in results] == ["updated"] * 5 + ["refused"] * 5
        assert all(result.reason for result in results[5:])
        assert not [r for r in results for request in requests if request.code in r.reason]
        assert list(service.assign_codes("tour", [])) == []

    def test_fans_with_codes_are_selected(self, service: EntryService, feed: Feed) -> None:
        """A fan with a code is a candidate only if `reassign` is set."""
        feed([registration(), scoring(), registration("g2"), scoring("g2")])
        outcomes(service, assignment("g1", "A"), assignment("g2", "A"))
        assert fans(candidates(service)) == ["g2"]
        selected, other = candidates(service, reassign=True)
        assert (selected["previously_selected"], other["previously_selected"]) == (True, False)
        assert selected["codes"] == [{"market_id": "nyc", "code": "A"}]
        assert other["codes"] == []

    def test_a_selected_fan_who_registers_later_stays_selected(
        self, service: EntryService, feed: Feed
    ) -> None:
        """Records after the selection do not undo it."""
        outcomes(service, assignment())
        feed([registration(), scoring()])
        assert candidates(service) == []
        (row,) = candidates(service, reassign=True)
        assert row["codes"] == [{"market_id": "nyc", "code": "CODE1"}]

    @examples_share_fixtures
    @given(history=st.lists(assignments(), max_size=12), size=st.integers(1, 4))
    def test_assignments_are_consistent(
        self,
        service: EntryService,
        fresh_id: Callable[[], str],
        history: list[Assignment],
        size: int,
    ) -> None:
        """A fan has one code for each market, a code has one fan, and repeats change nothing."""
        campaign = fresh_id()
        requests = [
            request if request.code == TM else attrs.evolve(request, code=campaign + request.code)
            for request in history
        ]
        expected: dict[str, dict[str, str]] = {}
        for start in range(0, len(requests), size):
            together = requests[start : start + size]
            answers = outcomes(service, *together, campaign=campaign)
            assert answers == [expected_outcome(expected, request) for request in together]
        before = service.codes(campaign, {request.global_user_id for request in requests})
        assert {f: {m: c for m, (c, _) in k.items()} for f, k in before.items()} == expected
        assert "updated" not in outcomes(service, *requests, campaign=campaign)
        assert service.codes(campaign, {r.global_user_id for r in requests}) == before

    @pytest.mark.parametrize("call", CALLS)
    def test_an_outage_raises_retry_later(
        self, service: EntryService, outage: Outage, call: str
    ) -> None:
        """While the service fails, calls raise `RetryLater`; afterwards they succeed."""
        with outage(), pytest.raises(RetryLater):
            CALLS[call](service)
        CALLS[call](service)


def expected_outcome(held: dict[str, dict[str, str]], request: Assignment) -> str:
    """Return the expected outcome of a request, and update `held` accordingly."""
    market = request.market_id or NO_MARKET
    fan_codes = held.get(request.global_user_id, {})
    if fan_codes.get(market) == request.code:
        return "alreadyAssigned"
    taken = {code for codes in held.values() for code in codes.values()} - {TM}
    if market in fan_codes or request.code in taken:
        return "refused"
    held.setdefault(request.global_user_id, {})[market] = request.code
    return "updated"
