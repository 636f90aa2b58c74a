"""The pool of external codes: available, reserved for 24 hours, assigned for good."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import attrs

from campaign_workers.domain.codes.assignments import (
    NO_MARKET,
    Assignment,
    AssignmentResult,
    Outcome,
)

RESERVATION_LIFE: Final = timedelta(hours=24)


@attrs.frozen(kw_only=True)
class Reservation:
    """Codes claimed for a market until `expires`."""

    reserve_id: str
    codes: tuple[str, ...] = attrs.field(repr=False)
    expires: datetime


@attrs.frozen(kw_only=True)
class Code:
    """An external code of a campaign's pool.

    `reserve_id`, `market_id` and `reserved_until` tell its reservation; `holder` the fan it is
    assigned to and `market_id` then the market it was assigned for.
    """

    code: str = attrs.field(repr=False)
    campaign_id: str
    reserve_id: str | None = None
    market_id: str | None = None
    reserved_until: datetime | None = None
    holder: str | None = None

    def is_reserved(self, now: datetime) -> bool:
        """Whether a reservation holds it at `now`."""
        return self.holder is None and self.reserved_until is not None and now < self.reserved_until

    def is_available(self, now: datetime) -> bool:
        """Whether anybody may reserve or get it at `now`."""
        return self.holder is None and not self.is_reserved(now)

    def reserved(self, reserve_id: str, market_id: str, until: datetime) -> "Code":
        """The code under a reservation."""
        return attrs.evolve(self, reserve_id=reserve_id, market_id=market_id, reserved_until=until)

    def released(self) -> "Code":
        """The code without its reservation."""
        return attrs.evolve(self, reserve_id=None, market_id=None, reserved_until=None)

    def assigned(self, assignment: Assignment) -> "Code":
        """The code in the hands of a fan, for ever."""
        return attrs.evolve(
            self,
            holder=assignment.global_user_id,
            market_id=assignment.market_id,
            reserve_id=None,
            reserved_until=None,
        )


def judge(
    assignment: Assignment, code: Code, held: Mapping[str, str], now: datetime
) -> AssignmentResult:
    """Whether a fan may get `code`.

    `held` are the external codes that the fan has already in this campaign, by market (`_` for
    none). A code that no pool knew before comes as a fresh `Code`: operators bring codes of their
    own, and offer codes are made elsewhere. The same assignment again is `ALREADY_ASSIGNED`;
    nothing that is assigned ever changes.
    """
    market = assignment.market_id or NO_MARKET
    if code.holder == assignment.global_user_id and held.get(market) == code.code:
        return AssignmentResult(outcome=Outcome.ALREADY_ASSIGNED)
    refusals = (
        (code.holder is not None, "assigned elsewhere"),
        (market in held, "the fan has another code for this market"),
        (
            code.is_reserved(now) and assignment.market_id not in {None, code.market_id},
            "reserved elsewhere",
        ),
    )
    for refused, reason in refusals:
        if refused:
            return AssignmentResult(outcome=Outcome.REFUSED, reason=reason)
    return AssignmentResult(outcome=Outcome.UPDATED)
