"""Contract of `CodeService`."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from campaign_workers.domain.codes import RESERVATION_LIFE, TM, Assignment, AssignmentOutcome
from campaign_workers.domain.errors import RejectRecord, RetryLater
from campaign_workers.ports.code_service import CodeService
from campaign_workers.testing.builders import CREATED, assignment
from campaign_workers.testing.contracts._base import Contract, Outage

Load = Callable[[str, Iterable[str]], object]
Advance = Callable[[timedelta], object]
Available = Callable[[str], int]

CODES = tuple(f"CODE{number:02d}" for number in range(10))

CALLS: dict[str, Callable[[CodeService], object]] = {
    "reserve": lambda service: service.reserve("tour", "chi", 1, reserve_id="r1"),
    "release": lambda service: service.release("r1", CODES),
    "assign": lambda service: service.assign("tour", [assignment()]),
}


def outcomes(service: CodeService, *assignments: Assignment, campaign: str = "tour") -> list[str]:
    """Return the outcomes of assignments in one request."""
    return [str(result.outcome) for result in service.assign(campaign, assignments)]


class ReservationContract(Contract):
    """Reservations of codes."""

    def test_codes_are_reserved_up_to_a_number(
        self, service: CodeService, load: Load, available: Available
    ) -> None:
        """A reservation gets the requested number of different codes, for 24 hours."""
        load("tour", CODES)
        reservation = service.reserve("tour", "chi", 4, reserve_id="r1")
        assert len(set(reservation.codes)) == len(reservation.codes) == 4
        assert set(reservation.codes) <= set(CODES)
        assert reservation.reserve_id == "r1"
        assert reservation.expires == CREATED + RESERVATION_LIFE
        assert available("tour") == 6

    def test_a_pool_may_have_too_few_codes(self, service: CodeService, load: Load) -> None:
        """A request for more codes than available gets all of them, a later one none."""
        load("tour", CODES[:3])
        assert sorted(service.reserve("tour", "chi", 9, reserve_id="r1").codes) == [*CODES[:3]]
        assert service.reserve("tour", "chi", 9, reserve_id="r2").codes == ()
        assert service.reserve("unknown", "chi", 9, reserve_id="r3").codes == ()

    @pytest.mark.parametrize("count", [0, -1])
    def test_zero_codes_may_be_reserved(
        self, service: CodeService, load: Load, count: int, available: Available
    ) -> None:
        """A reservation of no codes takes none."""
        load("tour", CODES)
        assert service.reserve("tour", "chi", count, reserve_id="r1").codes == ()
        assert available("tour") == len(CODES)

    def test_reservations_share_no_code(self, service: CodeService, load: Load) -> None:
        """No code is in two reservations, of different runs or markets."""
        load("tour", CODES)
        requests = [("chi", "r1"), ("mex", "r1"), ("chi", "r2")]
        taken = [
            code
            for market, reserve_id in requests
            for code in service.reserve("tour", market, 3, reserve_id=reserve_id).codes
        ]
        assert len(taken) == len(set(taken)) == 9

    def test_a_repeated_reservation_keeps_its_codes(
        self, service: CodeService, load: Load, available: Available
    ) -> None:
        """A repeat keeps its codes and is filled up to the requested number."""
        load("tour", CODES)
        first = service.reserve("tour", "chi", 3, reserve_id="r1")
        assert service.reserve("tour", "chi", 3, reserve_id="r1") == first
        more = service.reserve("tour", "chi", 5, reserve_id="r1")
        assert set(first.codes) < set(more.codes)
        assert len(more.codes) == 5
        assert available("tour") == 5

    def test_a_smaller_repeat_releases_codes(self, service: CodeService, load: Load) -> None:
        """A repeat that requests fewer codes keeps only that many."""
        load("tour", CODES)
        first = service.reserve("tour", "chi", 5, reserve_id="r1")
        less = service.reserve("tour", "chi", 2, reserve_id="r1")
        assert set(less.codes) < set(first.codes)
        assert len(less.codes) == 2

    def test_a_repeat_renews_the_reservation(
        self, service: CodeService, load: Load, advance: Advance, available: Available
    ) -> None:
        """A repeated reservation expires 24 hours after the repeat."""
        load("tour", CODES)
        first = service.reserve("tour", "chi", 10, reserve_id="r1")
        advance(timedelta(hours=23))
        again = service.reserve("tour", "chi", 10, reserve_id="r1")
        assert again.expires == first.expires + timedelta(hours=23)
        advance(timedelta(hours=23))
        assert available("tour") == 0

    def test_expired_codes_are_available(
        self, service: CodeService, load: Load, advance: Advance, available: Available
    ) -> None:
        """Reserved codes become available after 24 hours, not before."""
        load("tour", CODES)
        service.reserve("tour", "chi", 10, reserve_id="r1")
        advance(RESERVATION_LIFE - timedelta(milliseconds=1))
        assert service.reserve("tour", "mex", 1, reserve_id="r2").codes == ()
        advance(timedelta(milliseconds=1))
        assert available("tour") == 10
        assert sorted(service.reserve("tour", "mex", 10, reserve_id="r2").codes) == [*CODES]
        assert service.reserve("tour", "chi", 10, reserve_id="r1").codes == ()

    def test_released_codes_are_available(
        self, service: CodeService, load: Load, available: Available
    ) -> None:
        """A release affects the codes of its own reservation only, once."""
        load("tour", CODES)
        reserved = service.reserve("tour", "chi", 4, reserve_id="r1").codes
        service.reserve("tour", "chi", 4, reserve_id="r2")
        assert service.release("r2", reserved) == 0
        assert service.release("r1", [*CODES, "UNKNOWN"]) == 4
        assert service.release("r1", CODES) == 0
        assert available("tour") == 6

    def test_campaigns_have_separate_pools(
        self, service: CodeService, load: Load, available: Available
    ) -> None:
        """A reservation gets codes of its own campaign only."""
        load("tour", CODES[:5])
        load("other", CODES[5:])
        assert set(service.reserve("other", "chi", 9, reserve_id="r1").codes) == set(CODES[5:])
        assert available("tour") == 5

    def test_concurrent_reservations_share_no_code(self, service: CodeService, load: Load) -> None:
        """Concurrent runs get different codes."""
        load("tour", [f"CODE{number:03d}" for number in range(100)])

        def reserve(run: int) -> tuple[str, ...]:
            return service.reserve("tour", "chi", 30, reserve_id=f"r{run}").codes

        with ThreadPoolExecutor(4) as pool:
            taken = [code for codes in pool.map(reserve, range(4)) for code in codes]
        assert len(taken) == len(set(taken)) == 100


class AssignmentContract(Contract):
    """Assignments of codes to fans."""

    def test_an_assignment_is_permanent(
        self, service: CodeService, load: Load, advance: Advance, available: Available
    ) -> None:
        """An assigned code is not available, is not released and does not expire."""
        load("tour", CODES)
        codes = service.reserve("tour", "chi", 10, reserve_id="r1").codes
        given = assignment(code=codes[0], market_id="chi")
        assert outcomes(service, given) == ["updated"]
        assert service.release("r1", codes) == 9
        advance(timedelta(days=400))
        assert available("tour") == 9
        assert outcomes(service, given) == ["alreadyAssigned"]

    def test_a_repeated_assignment_changes_nothing(
        self, service: CodeService, load: Load, available: Available
    ) -> None:
        """A repeat is reported as such, in the same call and in a later one."""
        load("tour", CODES)
        given = assignment(code=CODES[0])
        assert outcomes(service, given, given) == ["updated", "alreadyAssigned"]
        assert outcomes(service, given) == ["alreadyAssigned"]
        assert available("tour") == 9

    def test_a_code_has_one_fan(self, service: CodeService, load: Load) -> None:
        """A code of a fan is refused to other fans and for other markets."""
        load("tour", CODES)
        first, rival = assignment("g1", CODES[0]), assignment("g2", CODES[0])
        elsewhere = assignment("g1", CODES[0], market_id="chi")
        assert outcomes(service, first, rival, elsewhere) == ["updated", "refused", "refused"]
        assert outcomes(service, rival, campaign="other") == ["refused"]

    def test_a_fan_has_one_code_for_a_market(
        self, service: CodeService, load: Load, available: Available
    ) -> None:
        """A second code is refused for the same market, but not for another or none."""
        load("tour", CODES)
        given = [
            assignment(code=CODES[0]),
            assignment(code=CODES[1]),
            assignment(code=CODES[2], market_id="chi"),
            assignment(code=CODES[3], market_id=None),
            assignment(code=CODES[4], market_id=None),
        ]
        assert outcomes(service, *given) == ["updated", "refused", "updated", "updated", "refused"]
        assert available("tour") == 7

    def test_reserved_codes_are_for_one_market(
        self, service: CodeService, load: Load, advance: Advance
    ) -> None:
        """A reserved code is refused for another market until the reservation expires."""
        load("tour", CODES[:1])
        service.reserve("tour", "chi", 1, reserve_id="r1")
        given = assignment(code=CODES[0], market_id="nyc")
        assert outcomes(service, given) == ["refused"]
        advance(RESERVATION_LIFE)
        assert outcomes(service, given) == ["updated"]

    def test_a_code_belongs_to_its_campaign(self, service: CodeService, load: Load) -> None:
        """A code of another campaign's pool is refused, reserved or not."""
        load("other", CODES[:2])
        service.reserve("other", "nyc", 1, reserve_id="r1")
        given = [assignment("g1", CODES[0]), assignment("g2", CODES[1])]
        assert outcomes(service, *given) == ["refused", "refused"]
        assert outcomes(service, *given, campaign="other") == ["updated", "updated"]

    def test_an_unknown_code_joins_the_campaign(
        self, service: CodeService, available: Available
    ) -> None:
        """A code in no pool becomes an assigned code of the campaign."""
        assert outcomes(service, assignment(code="BROUGHT")) == ["updated"]
        assert available("tour") == 0
        assert outcomes(service, assignment("g2", code="BROUGHT")) == ["refused"]

    def test_a_refused_code_does_not_join(self, service: CodeService) -> None:
        """A refused code is added to no pool."""
        assert outcomes(service, assignment(code="FIRST"), assignment(code="SECOND")) == [
            "updated",
            "refused",
        ]
        assert outcomes(service, assignment("g2", code="SECOND"), campaign="other") == ["updated"]

    @pytest.mark.parametrize("code", [TM, ""])
    def test_only_external_codes_are_assigned(self, service: CodeService, code: str) -> None:
        """The placeholder and the empty code are refused with a reason."""
        (result,) = service.assign("tour", [assignment(code=code)])
        assert result.outcome is AssignmentOutcome.REFUSED
        assert result.reason

    def test_results_keep_the_order_of_the_requests(self, service: CodeService, load: Load) -> None:
        """Results have the order of the requests; reasons quote no values."""
        load("tour", CODES)
        given = [assignment(f"g{n}", CODES[n % 5]) for n in range(10)]
        results = service.assign("tour", given)
        assert [str(result.outcome) for result in results] == ["updated"] * 5 + ["refused"] * 5
        assert all(bool(r.reason) is (r.outcome is AssignmentOutcome.REFUSED) for r in results)
        assert not [r for r in results for code in CODES if code in r.reason]

    def test_at_most_2500_at_once(self, service: CodeService) -> None:
        """A call with 2500 assignments succeeds, one with 2501 is refused entirely."""
        many = [assignment(f"g{number}", f"C{number}") for number in range(2501)]
        with pytest.raises(RejectRecord):
            service.assign("tour", many)
        assert outcomes(service, *many[1:]) == ["updated"] * 2500
        assert service.assign("tour", []) == ()

    @pytest.mark.parametrize("call", CALLS)
    def test_an_outage_raises_retry_later(
        self, service: CodeService, outage: Outage, call: str
    ) -> None:
        """While the service fails, calls raise `RetryLater`; afterwards they succeed."""
        with outage(), pytest.raises(RetryLater):
            CALLS[call](service)
        CALLS[call](service)


class CodeServiceContract(ReservationContract, AssignmentContract):
    """What every code service promises.

    Fixtures: `service`; `load`, which adds codes to a campaign's pool; `available`, which counts
    the codes of a campaign that are neither assigned nor reserved; `outage`; `advance`, which moves
    the service's clock from `builders.CREATED`.
    """
