"""Selected fans and their codes, for the fake of the entry service."""

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
    """Rows of the selected fans of each campaign, whether or not they registered.

    A row has the `globalUserId`, `selected`, and by market in `codes` each code and when it was
    assigned.
    """

    def __init__(self, tables: Tables) -> None:
        self._fans = tables("entries.fans")
        self._holders = tables("entries.holders")

    def get_many(self, campaign_id: str, fans: Collection[str]) -> dict[str, Row]:
        """Return the rows of those of the fans who have one."""
        keys = {key_of(campaign_id, fan): fan for fan in fans}
        return {keys[key]: row for key, row in self._fans.get_many(keys).items()}

    def all(self, campaign_id: str) -> Iterator[Row]:
        """Yield the rows of a campaign, ordered by global user id."""
        return (row for _, row in self._fans.scan(prefix_of(campaign_id)))

    def assign(
        self, campaign_id: str, assignments: Sequence[Assignment], now: datetime
    ) -> list[AssignmentResult]:
        """Assign codes to fans in order, if `resolve_assignment` allows it, and select fans."""
        fans = self.get_many(campaign_id, {a.global_user_id for a in assignments})
        holders = self._holders.get_many({a.code for a in assignments if is_external(a.code)})
        changed: dict[str, Row] = {}
        results = []
        for assignment in assignments:
            fan = assignment.global_user_id
            row = fans.setdefault(fan, _new_row(fan))
            result = _resolve(campaign_id, assignment, row, holders.get(assignment.code), now)
            if result.outcome is AssignmentOutcome.UPDATED:
                _set_code(row, assignment, now)
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


def _new_row(fan: str) -> Row:
    return {"globalUserId": fan, "selected": False, "codes": {}}


def _resolve(
    campaign_id: str, assignment: Assignment, fan: Row, holder: Row | None, now: datetime
) -> AssignmentResult:
    if not assignment.code:
        return AssignmentResult(outcome=AssignmentOutcome.REFUSED, reason="the code is empty")
    held = {market: row["code"] for market, row in fan["codes"].items()}
    if is_external(assignment.code):
        owner = holder["fan"] if holder else None
    else:
        # Any number of fans may have the placeholder, so the holder is the fan itself.
        market = assignment.market_id or NO_MARKET
        owner = assignment.global_user_id if held.get(market) == assignment.code else None
    code = Code(code=assignment.code, campaign_id=campaign_id, holder=owner)
    return resolve_assignment(assignment, code, held, now)


def _set_code(fan: Row, assignment: Assignment, now: datetime) -> None:
    created = iso_utc(assignment.created or now)
    fan["codes"][assignment.market_id or NO_MARKET] = {"code": assignment.code, "created": created}
    fan.setdefault("userId", assignment.user_id or "")
    fan.setdefault("created", created)
