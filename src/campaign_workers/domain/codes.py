"""Access codes: the pool of external codes, assignments of codes to fans, and verdict messages.

A code of the pool is available, reserved for 24 hours, or assigned permanently. Code assignments
travel as records from a wave file to the entry store; each batch that was stored is announced on
the verdict queue, without the codes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

import attrs

from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.record import Record
from campaign_workers.domain.running.events import MAX_MESSAGE_BYTES

TM: Final = "TM"
"""Placeholder for inventory that the ticketing platform manages; many fans share it."""

NO_MARKET: Final = "_"
"""Stands for the market of a code that belongs to none."""

CODE_ASSIGNMENT: Final = "codeAssignment"
SELECTION_REFRESH: Final = "selectionRefresh"

MAX_ID_BYTES: Final = 512
"""Size limit of an id in UTF-8; the demand table uses ids as keys."""

RESERVATION_LIFE: Final = timedelta(hours=24)

_Item = TypeVar("_Item")


# --- assignments and the pool ---


def is_external(code: str) -> bool:
    """Whether `code` is a real code: neither empty nor the placeholder."""
    return bool(code) and code != TM


@attrs.frozen(kw_only=True)
class Assignment:
    """A request to assign a code to a fan; `created` is the time of the requesting record."""

    global_user_id: str
    code: str = attrs.field(repr=False)
    market_id: str | None = None
    user_id: str | None = None
    created: datetime | None = None


class AssignmentOutcome(StrEnum):
    """The outcome of an assignment."""

    UPDATED = "updated"
    ALREADY_ASSIGNED = "alreadyAssigned"
    REFUSED = "refused"


@attrs.frozen(kw_only=True)
class AssignmentResult:
    """The outcome of one assignment; `reason` explains a refusal."""

    outcome: AssignmentOutcome
    reason: str = ""


@attrs.frozen(kw_only=True)
class Reservation:
    """Codes reserved for a market until `expires`."""

    reserve_id: str
    codes: tuple[str, ...] = attrs.field(repr=False)
    expires: datetime


@attrs.frozen(kw_only=True)
class Code:
    """An external code of a campaign's pool.

    `reserve_id`, `market_id` and `reserved_until` describe its reservation. An assigned code has
    a `holder`, and `market_id` is then the market it was assigned for.
    """

    code: str = attrs.field(repr=False)
    campaign_id: str
    reserve_id: str | None = None
    market_id: str | None = None
    reserved_until: datetime | None = None
    holder: str | None = None

    def is_reserved(self, now: datetime) -> bool:
        """Whether a reservation holds the code at `now`."""
        return self.holder is None and self.reserved_until is not None and now < self.reserved_until

    def is_available(self, now: datetime) -> bool:
        """Whether the code is neither assigned nor reserved at `now`."""
        return self.holder is None and not self.is_reserved(now)

    def with_reservation(self, reserve_id: str, market_id: str, until: datetime) -> "Code":
        """Return the code under a reservation."""
        return attrs.evolve(self, reserve_id=reserve_id, market_id=market_id, reserved_until=until)

    def without_reservation(self) -> "Code":
        """Return the code without its reservation."""
        return attrs.evolve(self, reserve_id=None, market_id=None, reserved_until=None)

    def assigned_to(self, assignment: Assignment) -> "Code":
        """Return the code assigned to a fan permanently."""
        return attrs.evolve(
            self,
            holder=assignment.global_user_id,
            market_id=assignment.market_id,
            reserve_id=None,
            reserved_until=None,
        )


def resolve_assignment(
    assignment: Assignment, code: Code, held: Mapping[str, str], now: datetime
) -> AssignmentResult:
    """Decide whether a fan may get `code`.

    An assignment that exists already is `ALREADY_ASSIGNED`; an assigned code never changes.

    Args:
        assignment: the requested assignment.
        code: the requested code. A code that is in no pool yet is passed as a fresh `Code`:
            operators upload codes of their own, and offer codes come from another service.
        held: the external codes that the fan holds in this campaign, by market id (`_` for none).
        now: the time at which reservations are judged.
    """
    market = assignment.market_id or NO_MARKET
    if code.holder == assignment.global_user_id and held.get(market) == code.code:
        return AssignmentResult(outcome=AssignmentOutcome.ALREADY_ASSIGNED)
    refusals = (
        (code.holder is not None, "assigned elsewhere"),
        (market in held, "the fan has another code for this market"),
        (
            code.is_reserved(now) and assignment.market_id not in {None, code.market_id},
            "reserved elsewhere",
        ),
    )
    for is_refused, reason in refusals:
        if is_refused:
            return AssignmentResult(outcome=AssignmentOutcome.REFUSED, reason=reason)
    return AssignmentResult(outcome=AssignmentOutcome.UPDATED)


# --- code assignments as records ---


def partition_key(record: Record) -> str:
    """Return the code, so that events of one code stay in order; the fan's id for `TM`."""
    code: str = record.fields["code"]
    return record.fields["globalUserId"] if code == TM else code


def global_ids_without_user(records: Iterable[Record]) -> list[str]:
    """Return the unique global user ids of the records without a user id."""
    return _unique(r.fields["globalUserId"] for r in records if not r.fields["userId"])


def category_ids_without_campaign(records: Iterable[Record]) -> list[int]:
    """Return the unique category ids of the records without a campaign id."""
    return _unique(
        record.fields["categoryId"]
        for record in records
        if not record.fields["campaignId"] and record.fields["categoryId"] is not None
    )


def fill_missing_ids(
    record: Record, user_ids: Mapping[str, str], campaign_ids: Mapping[int, str]
) -> Record:
    """Return the record with its missing user and campaign ids filled in.

    Args:
        record: a code assignment; its dedupe key stays the same.
        user_ids: user ids by global user id.
        campaign_ids: campaign ids by category id.

    Raises:
        RejectRecord: the user or the campaign of the record is unknown.
    """
    fields = dict(record.fields)
    fields["userId"] = fields["userId"] or user_ids.get(fields["globalUserId"])
    fields["campaignId"] = fields["campaignId"] or campaign_ids.get(fields["categoryId"])
    for name, lookup in (("userId", "globalUserId"), ("campaignId", "categoryId")):
        if not fields[name]:
            raise RejectRecord(f"missing, and its {lookup} is unknown", field=name)
    return attrs.evolve(record, fields=fields)


def validate_ids(record: Record) -> None:
    """Check that the stores can hold the record's ids.

    Raises:
        RejectRecord: the record has no campaign id, or an id is too long.
    """
    if not record.fields["campaignId"]:
        raise RejectRecord("missing", field="campaignId")
    for name in ("campaignId", "globalUserId", "marketId", "code"):
        if len((record.fields.get(name) or "").encode()) > MAX_ID_BYTES:
            raise RejectRecord(f"more than {MAX_ID_BYTES} bytes", field=name)


def build_assignment(record: Record) -> Assignment:
    """Return the request to assign the record's code to its fan."""
    fields = record.fields
    return Assignment(
        global_user_id=fields["globalUserId"],
        code=fields["code"],
        market_id=fields["marketId"] or None,
        user_id=fields["userId"] or None,
        created=record.created,
    )


def group_by_campaign(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return the records of each campaign, in order."""
    campaigns: dict[str, list[Record]] = {}
    for record in records:
        campaigns.setdefault(record.fields["campaignId"], []).append(record)
    return campaigns


def _unique(items: Iterable[_Item]) -> list[_Item]:
    return list(dict.fromkeys(items))


# --- verdict messages ---


def verdict_messages(
    campaign_id: str, assignments: Sequence[Record], *, limit: int = MAX_MESSAGE_BYTES
) -> Iterator[str]:
    """Yield messages under `limit` bytes about code assignments of one campaign.

    The same assignments in the same order give the same messages with the same ids. Without
    assignments there is no message.
    """
    if not assignments:
        return
    message = _message(campaign_id, assignments)
    half = len(assignments) // 2
    if half == 0 or len(message.encode()) < limit:
        yield message
        return
    yield from verdict_messages(campaign_id, assignments[:half], limit=limit)
    yield from verdict_messages(campaign_id, assignments[half:], limit=limit)


def _message(campaign_id: str, assignments: Sequence[Record]) -> str:
    keys = ",".join(record.dedupe_key for record in assignments)
    message = {
        "messageId": hashlib.sha256(keys.encode()).hexdigest()[:32],
        "campaignId": campaign_id,
        "count": len(assignments),
        "assignments": [_without_code(record) for record in assignments],
    }
    return json.dumps(message, separators=(",", ":"))


def _without_code(record: Record) -> dict[str, Any]:
    return {name: record.fields[name] for name in ("globalUserId", "marketId")}
