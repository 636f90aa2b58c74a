"""The life of a code: available, reserved for 24 hours, assigned for ever.

Code assignments on their way from a wave file to the entry store.

What consumers of the verdict queue are told: which fans may buy, without their codes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

import attrs

from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.record import Record
from campaign_workers.domain.running.events import MAX_MESSAGE_BYTES

TM: Final = "TM"
"""Placeholder for inventory that the ticketing platform manages; any number of fans have it."""

NO_MARKET: Final = "_"
"""Stands for the market of a code that belongs to none."""


def is_external(code: str) -> bool:
    """Whether `code` is a real code: neither empty nor the placeholder."""
    return bool(code) and code != TM


@attrs.frozen(kw_only=True)
class Assignment:
    """A request to give a fan a code; `created` is that of the record that asks for it."""

    global_user_id: str
    code: str = attrs.field(repr=False)
    market_id: str | None = None
    user_id: str | None = None
    created: datetime | None = None


class Outcome(StrEnum):
    """What became of an assignment."""

    UPDATED = "updated"
    ALREADY_ASSIGNED = "alreadyAssigned"
    REFUSED = "refused"


@attrs.frozen(kw_only=True)
class AssignmentResult:
    """Outcome of one assignment; `reason` says why it was refused."""

    outcome: Outcome
    reason: str = ""


CODE_ASSIGNMENT: Final = "codeAssignment"
SELECTION_REFRESH: Final = "selectionRefresh"

LONGEST_ID: Final = 512
"""Bytes of an id in UTF-8: well within what the demand table takes in a key."""

_Item = TypeVar("_Item")


def partition_key(record: Record) -> str:
    """The code, so that all that happens to it keeps its order; the fan's id for `TM`."""
    code: str = record.fields["code"]
    return record.fields["globalUserId"] if code == TM else code


def without_user(records: Iterable[Record]) -> list[str]:
    """Global user ids of the records that lack a user id, each once."""
    return _each_once(r.fields["globalUserId"] for r in records if not r.fields["userId"])


def without_campaign(records: Iterable[Record]) -> list[int]:
    """Category ids of the records that lack a campaign id, each once."""
    return _each_once(
        record.fields["categoryId"]
        for record in records
        if not record.fields["campaignId"] and record.fields["categoryId"] is not None
    )


def completed(
    record: Record, user_ids: Mapping[str, str], campaign_ids: Mapping[int, str]
) -> Record:
    """The record with the ids that it lacked, under the key that it had.

    Raises:
        RejectRecord: nobody knows its user or its campaign.
    """
    fields = dict(record.fields)
    fields["userId"] = fields["userId"] or user_ids.get(fields["globalUserId"])
    fields["campaignId"] = fields["campaignId"] or campaign_ids.get(fields["categoryId"])
    for name, known_by in (("userId", "globalUserId"), ("campaignId", "categoryId")):
        if not fields[name]:
            raise RejectRecord(f"missing, and not known by the {known_by}", field=name)
    return attrs.evolve(record, fields=fields)


def check_ids(record: Record) -> None:
    """See that the record can be stored.

    Raises:
        RejectRecord: it names no campaign, or an id is too long for any store.
    """
    if not record.fields["campaignId"]:
        raise RejectRecord("missing", field="campaignId")
    for name in ("campaignId", "globalUserId", "marketId", "code"):
        if len((record.fields.get(name) or "").encode()) > LONGEST_ID:
            raise RejectRecord(f"more than {LONGEST_ID} bytes", field=name)


def assignment(record: Record) -> Assignment:
    """The request to give the fan the code."""
    fields = record.fields
    return Assignment(
        global_user_id=fields["globalUserId"],
        code=fields["code"],
        market_id=fields["marketId"] or None,
        user_id=fields["userId"] or None,
        created=record.created,
    )


def by_campaign(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return the records of each campaign, in order."""
    campaigns: dict[str, list[Record]] = {}
    for record in records:
        campaigns.setdefault(record.fields["campaignId"], []).append(record)
    return campaigns


def _each_once(items: Iterable[_Item]) -> list[_Item]:
    return list(dict.fromkeys(items))


def verdict_messages(
    campaign_id: str, assignments: Sequence[Record], *, limit: int = MAX_MESSAGE_BYTES
) -> Iterator[str]:
    """Messages under `limit` bytes about code assignments of one campaign; none about none.

    The same assignments in the same order give the same messages with the same ids.
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
        "assignments": [_assignment(record) for record in assignments],
    }
    return json.dumps(message, separators=(",", ":"))


def _assignment(record: Record) -> dict[str, Any]:
    return {name: record.fields[name] for name in ("globalUserId", "marketId")}
