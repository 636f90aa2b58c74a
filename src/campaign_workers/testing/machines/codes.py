"""A code service beside a dictionary, through any sequence of calls."""

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
    """A fresh code service, the doors behind it, and what makes several calls one.

    `atomic` undoes what is done in its context when that ends with an error.
    """

    service: CodeService
    load: Callable[[str, Iterable[str]], object]
    available: Callable[[str], int]
    advance: Callable[[timedelta], object]
    now: Callable[[], datetime]
    atomic: Callable[[], AbstractContextManager[None]]


@attrs.define
class ModelCode:
    """What the model knows of a code; `reserved` is id, market and when that ends."""

    campaign: str
    reserved: tuple[str, str, datetime] | None = None
    holder: tuple[str, str | None] | None = None

    def is_available(self, now: datetime) -> bool:
        """Whether it is free at `now`."""
        return self.holder is None and (self.reserved is None or self.reserved[2] <= now)


class CodePoolMachine(RuleBasedStateMachine):
    """Subclasses say what is tried (`start`); `CodePoolMachine.TestCase` is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = self.start()
        self.model: dict[str, ModelCode] = {}
        self.given: dict[tuple[str, str, str | None], str] = {}

    def start(self) -> CodePoolUnderTest:
        """A fresh service, empty."""
        raise NotImplementedError

    @initialize(campaign=campaign_ids, loaded=st.sets(codes(), min_size=1))
    def begin_with_codes(self, campaign: str, loaded: set[str]) -> None:
        self.load(campaign, loaded)

    @rule(campaign=campaign_ids, loaded=st.sets(codes()))
    def load(self, campaign: str, loaded: set[str]) -> None:
        self.tried.load(campaign, sorted(loaded))
        for code in loaded:
            self.model.setdefault(code, ModelCode(campaign))

    @rule(campaign=campaign_ids, market=market_ids(), count=counts, reserve_id=reserve_ids)
    def reserve(self, campaign: str, market: str, count: int, reserve_id: str) -> None:
        now = self.tried.now()
        own = self.own(campaign, market, reserve_id)
        free = {code for code in self.available(campaign) if code not in own}
        answer = self.tried.service.reserve(campaign, market, count, reserve_id=reserve_id)
        got = set(answer.codes)
        assert len(answer.codes) == len(got) == min(count, len(own) + len(free))
        assert got <= own | free
        assert got <= own if count <= len(own) else own <= got
        assert answer.expires == now + LIFE
        for code in own - got:
            self.model[code].reserved = None
        for code in got:
            self.model[code].reserved = (reserve_id, market, answer.expires)

    @rule(reserve_id=reserve_ids, some=st.sets(codes()))
    def release(self, reserve_id: str, some: set[str]) -> None:
        live = {code for code in some if self.is_live(code, reserve_id)}
        assert self.tried.service.release(reserve_id, sorted(some)) == len(live)
        for code in live:
            self.model[code].reserved = None

    @rule(campaign=campaign_ids, fan=fan_ids(), market=st.none() | market_ids(), code=codes())
    def assign(self, campaign: str, fan: str, market: str | None, code: str) -> None:
        expected = self.expected(campaign, fan, market, code)
        request = Assignment(global_user_id=fan, code=code, market_id=market)
        (result,) = self.tried.service.assign(campaign, [request])
        assert result.outcome is expected
        if expected is AssignmentOutcome.UPDATED:
            self.model.setdefault(code, ModelCode(campaign)).holder = (fan, market)
            self.given[campaign, fan, market] = code

    @rule(data=st.data())
    def assign_again(self, data: st.DataObject) -> None:
        if self.given:
            (campaign, fan, market), code = data.draw(
                st.sampled_from(sorted(self.given.items(), key=str))
            )
            self.assign(campaign, fan, market, code)

    @rule(hours=st.sampled_from((1, 12, 24)))
    def wait(self, hours: int) -> None:
        self.tried.advance(timedelta(hours=hours))

    @rule(campaign=campaign_ids, fan=fan_ids(), market=market_ids(), code=codes())
    def crash_midway(self, campaign: str, fan: str, market: str, code: str) -> None:
        """What a run did before it died in the same transaction is undone."""
        request = Assignment(global_user_id=fan, code=code, market_id=market)
        with suppress(Killed), self.tried.atomic():
            self.tried.service.assign(campaign, [request])
            self.tried.service.reserve(campaign, market, 3, reserve_id="r1")
            raise Killed

    @invariant()
    def the_pool_counts_what_nobody_has(self) -> None:
        for campaign in CAMPAIGNS:
            assert self.tried.available(campaign) == len(self.available(campaign))

    @invariant()
    def what_is_assigned_stays(self) -> None:
        """One fan, one code a market; one code, one fan; asking again changes nothing."""
        assert len(set(self.given.values())) == len(self.given)
        for (campaign, fan, market), code in self.given.items():
            request = Assignment(global_user_id=fan, code=code, market_id=market)
            (result,) = self.tried.service.assign(campaign, [request])
            assert result.outcome is AssignmentOutcome.ALREADY_ASSIGNED

    def available(self, campaign: str) -> set[str]:
        """Codes of a campaign that the model says are free."""
        now = self.tried.now()
        return {
            code
            for code, known in self.model.items()
            if known.campaign == campaign and known.is_available(now)
        }

    def own(self, campaign: str, market: str, reserve_id: str) -> set[str]:
        """What a reservation had and nobody took since, though it may have run out."""
        return {
            code
            for code, known in self.model.items()
            if (known.campaign, known.holder) == (campaign, None)
            and (known.reserved or ())[:2] == (reserve_id, market)
        }

    def is_live(self, code: str, reserve_id: str) -> bool:
        """Whether a code is held by a reservation of this id now."""
        known = self.model.get(code)
        if known is None or known.holder is not None or known.reserved is None:
            return False
        return known.reserved[0] == reserve_id and self.tried.now() < known.reserved[2]

    def expected(self, campaign: str, fan: str, market: str | None, code: str) -> AssignmentOutcome:
        """What the model says becomes of a request."""
        known = self.model.get(code, ModelCode(campaign))
        if known.holder == (fan, market) and known.campaign == campaign:
            return AssignmentOutcome.ALREADY_ASSIGNED
        live = None if known.is_available(self.tried.now()) else known.reserved
        refused: tuple[Any, ...] = (
            known.holder,
            known.campaign != campaign,
            (campaign, fan, market) in self.given,
            live and market not in (None, live[1]),
        )
        return AssignmentOutcome.REFUSED if any(refused) else AssignmentOutcome.UPDATED
