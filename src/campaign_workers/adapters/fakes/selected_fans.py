"""Which fans were selected, and which codes they have."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from campaign_workers.adapters.fakes.tables import Tables, key_of, prefix_of
from campaign_workers.domain.codes import (
    NO_MARKET,
    Assignment,
    AssignmentOutcome,
    AssignmentResult,
    Code,
    is_external,
    resolve_assignment,
)
from campaign_workers.domain.records.types import iso_utc

Row = dict[str, Any]


class SelectedFans:
    """Rows of selected fans by campaign, whether or not they registered.

    A row says whose it is, `selected`, and for each market in `codes` the code and when it was
    given.
    """

    def __init__(self, tables: Tables) -> None:
        self._fans = tables("entries.fans")
        self._holders = tables("entries.holders")

    def of(self, campaign_id: str, fans: Collection[str]) -> dict[str, Row]:
        """Rows of those of these fans who have one."""
        keys = {key_of(campaign_id, fan): fan for fan in fans}
        return {keys[key]: row for key, row in self._fans.get_many(keys).items()}

    def all(self, campaign_id: str) -> Iterator[Row]:
        """The row of every fan of a campaign who has one, by global user id."""
        return (row for _, row in self._fans.scan(prefix_of(campaign_id)))

    def assign(
        self, campaign_id: str, assignments: Sequence[Assignment], now: datetime
    ) -> list[AssignmentResult]:
        """Give fans codes one after the other, as far as `judge` allows, and select them."""
        fans = self.of(campaign_id, {a.global_user_id for a in assignments})
        holders = self._holders.get_many({a.code for a in assignments if is_external(a.code)})
        changed: dict[str, Row] = {}
        results = []
        for assignment in assignments:
            fan = assignment.global_user_id
            row = fans.setdefault(fan, _blank(fan))
            result = _verdict(campaign_id, assignment, row, holders.get(assignment.code), now)
            if result.outcome is AssignmentOutcome.UPDATED:
                _give(row, assignment, now)
                if is_external(assignment.code):
                    holders[assignment.code] = {"fan": fan}
            if result.outcome is not AssignmentOutcome.REFUSED:
                changed[fan] = row
                row["selected"] = True
            results.append(result)
        self._write(campaign_id, changed)
        self._holders.put_many(holders.items())
        return results

    def _write(self, campaign_id: str, rows: Mapping[str, Row]) -> None:
        self._fans.put_many((key_of(campaign_id, fan), row) for fan, row in rows.items())


def _blank(fan: str) -> Row:
    return {"globalUserId": fan, "selected": False, "codes": {}}


def _verdict(
    campaign_id: str, assignment: Assignment, fan: Row, holder: Row | None, now: datetime
) -> AssignmentResult:
    if not assignment.code:
        return AssignmentResult(outcome=AssignmentOutcome.REFUSED, reason="no code")
    held = {market: given["code"] for market, given in fan["codes"].items()}
    if is_external(assignment.code):
        owner = holder["fan"] if holder else None
    else:
        # The placeholder has as many holders as there are fans: to each it is their own.
        market = assignment.market_id or NO_MARKET
        owner = assignment.global_user_id if held.get(market) == assignment.code else None
    code = Code(code=assignment.code, campaign_id=campaign_id, holder=owner)
    return resolve_assignment(assignment, code, held, now)


def _give(fan: Row, assignment: Assignment, now: datetime) -> None:
    created = iso_utc(assignment.created or now)
    fan["codes"][assignment.market_id or NO_MARKET] = {"code": assignment.code, "created": created}
    fan.setdefault("userId", assignment.user_id or "")
    fan.setdefault("created", created)
