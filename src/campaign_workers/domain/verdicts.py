"""What consumers of the verdict queue are told: which fans may buy, without their codes."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from campaign_workers.domain.limits import MAX_MESSAGE_BYTES
from campaign_workers.domain.records import Record


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
