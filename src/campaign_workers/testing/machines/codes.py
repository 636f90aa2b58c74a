"""State machine that compares a code service with a dictionary."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from campaign_workers.domain.codes import Assignment, AssignmentOutcome
from campaign_workers.ports.code_service import CodeService
from campaign_workers.testing.crashes import Killed
from campaign_workers.testing.strategies import codes, fan_ids, market_ids

CAMPAIGNS = ("tour", "other")
LIFE = timedelta(hours=24)

campaign_ids = st.sampled_from(CAMPAIGNS)
reserve_ids = st.sampled_from(("r1", "r2"))
counts = st.integers(0, 5)


@attrs.frozen(kw_only=True)
class CodePoolUnderTest:
    """A new code service and direct access to its codes and clock.

    `atomic` makes the calls in its context one transaction, which an error rolls back.
    """

    service: CodeService
    load: Callable[[str, Iterable[str]], object]
    available: Callable[[str], int]
    advance: Callable[[timedelta], object]
    now: Callable[[], datetime]
    atomic: Callable[[], AbstractContextManager[None]]


@attrs.define
class ModelCode:
    """A code in the model; `reserved` is the id, the market and the end of its reservation."""

    campaign: str
    reserved: tuple[str, str, datetime] | None = None
    holder: tuple[str, str | None] | None = None

    def is_available(self, now: datetime) -> bool:
        """Return whether the code is neither assigned nor reserved at `now`."""
        return self.holder is None and (self.reserved is None or self.reserved[2] <= now)


class CodePoolMachine(RuleBasedStateMachine):
    """Calls of a code service in any order; subclasses override `start`, `TestCase` is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.subject = self.start()
        self.model: dict[str, ModelCode] = {}
        self.assigned: dict[tuple[str, str, str | None], str] = {}

    def start(self) -> CodePoolUnderTest:
        """Return a new, empty service."""
        raise NotImplementedError

    @initialize(campaign=campaign_ids, loaded=st.sets(codes(), min_size=1))
    def load_initial_codes(self, campaign: str, loaded: set[str]) -> None:
        self.load(campaign, loaded)

    @rule(campaign=campaign_ids, loaded=st.sets(codes()))
    def load(self, campaign: str, loaded: set[str]) -> None:
        self.subject.load(campaign, sorted(loaded))
        for code in loaded:
            self.model.setdefault(code, ModelCode(campaign))

    @rule(campaign=campaign_ids, market=market_ids(), count=counts, reserve_id=reserve_ids)
    def reserve(self, campaign: str, market: str, count: int, reserve_id: str) -> None:
        now = self.subject.now()
        own = self.own(campaign, market, reserve_id)
        free = {code for code in self.available(campaign) if code not in own}
        reservation = self.subject.service.reserve(campaign, market, count, reserve_id=reserve_id)
        got = set(reservation.codes)
        assert len(reservation.codes) == len(got) == min(count, len(own) + len(free))
        assert got <= own | free
        assert got <= own if count <= len(own) else own <= got
        assert reservation.expires == now + LIFE
        for code in own - got:
            self.model[code].reserved = None
        for code in got:
            self.model[code].reserved = (reserve_id, market, reservation.expires)

    @rule(reserve_id=reserve_ids, chunk=st.sets(codes()))
    def release(self, reserve_id: str, chunk: set[str]) -> None:
        live = {code for code in chunk if self.is_live(code, reserve_id)}
        assert self.subject.service.release(reserve_id, sorted(chunk)) == len(live)
        for code in live:
            self.model[code].reserved = None

    @rule(campaign=campaign_ids, fan=fan_ids(), market=st.none() | market_ids(), code=codes())
    def assign(self, campaign: str, fan: str, market: str | None, code: str) -> None:
        expected = self.expected_outcome(campaign, fan, market, code)
        request = Assignment(global_user_id=fan, code=code, market_id=market)
        (result,) = self.subject.service.assign(campaign, [request])
        assert result.outcome is expected
        if expected is AssignmentOutcome.UPDATED:
            self.model.setdefault(code, ModelCode(campaign)).holder = (fan, market)
            self.assigned[campaign, fan, market] = code

    @rule(data=st.data())
    def assign_again(self, data: st.DataObject) -> None:
        if self.assigned:
            (campaign, fan, market), code = data.draw(
                st.sampled_from(sorted(self.assigned.items(), key=str))
            )
            self.assign(campaign, fan, market, code)

    @rule(hours=st.sampled_from((1, 12, 24)))
    def wait(self, hours: int) -> None:
        self.subject.advance(timedelta(hours=hours))

    @rule(campaign=campaign_ids, fan=fan_ids(), market=market_ids(), code=codes())
    def crash_midway(self, campaign: str, fan: str, market: str, code: str) -> None:
        """A killed run leaves nothing of its transaction."""
        request = Assignment(global_user_id=fan, code=code, market_id=market)
        with suppress(Killed), self.subject.atomic():
            self.subject.service.assign(campaign, [request])
            self.subject.service.reserve(campaign, market, 3, reserve_id="r1")
            raise Killed

    @invariant()
    def available_codes_are_counted(self) -> None:
        for campaign in CAMPAIGNS:
            assert self.subject.available(campaign) == len(self.available(campaign))

    @invariant()
    def assignments_are_permanent(self) -> None:
        """A fan has one code for each market, a code has one fan, and repeats change nothing."""
        assert len(set(self.assigned.values())) == len(self.assigned)
        for (campaign, fan, market), code in self.assigned.items():
            request = Assignment(global_user_id=fan, code=code, market_id=market)
            (result,) = self.subject.service.assign(campaign, [request])
            assert result.outcome is AssignmentOutcome.ALREADY_ASSIGNED

    def available(self, campaign: str) -> set[str]:
        """Return the available codes of a campaign in the model."""
        now = self.subject.now()
        return {
            code
            for code, known in self.model.items()
            if known.campaign == campaign and known.is_available(now)
        }

    def own(self, campaign: str, market: str, reserve_id: str) -> set[str]:
        """Return the codes of a reservation, even an expired one, that were not taken meanwhile."""
        return {
            code
            for code, known in self.model.items()
            if (known.campaign, known.holder) == (campaign, None)
            and (known.reserved or ())[:2] == (reserve_id, market)
        }

    def is_live(self, code: str, reserve_id: str) -> bool:
        """Return whether the code is reserved under this id now."""
        known = self.model.get(code)
        if known is None or known.holder is not None or known.reserved is None:
            return False
        return known.reserved[0] == reserve_id and self.subject.now() < known.reserved[2]

    def expected_outcome(
        self, campaign: str, fan: str, market: str | None, code: str
    ) -> AssignmentOutcome:
        """Return the outcome of an assignment according to the model."""
        known = self.model.get(code, ModelCode(campaign))
        if known.holder == (fan, market) and known.campaign == campaign:
            return AssignmentOutcome.ALREADY_ASSIGNED
        live = None if known.is_available(self.subject.now()) else known.reserved
        refused: tuple[Any, ...] = (
            known.holder,
            known.campaign != campaign,
            (campaign, fan, market) in self.assigned,
            live and market not in (None, live[1]),
        )
        return AssignmentOutcome.REFUSED if any(refused) else AssignmentOutcome.UPDATED
