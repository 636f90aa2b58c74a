"""Assignments of codes on the wire, as the entry and the code service have them."""

from collections.abc import Sequence
from typing import Any, Final

from campaign_workers.adapters.http._client.requests import Call
from campaign_workers.adapters.http._client.responses import Results, read
from campaign_workers.domain.codes.assignments import Assignment, AssignmentResult
from campaign_workers.domain.records.types import iso_utc

MOST_ASSIGNMENTS: Final = 2_500


def assignments_body(campaign_id: str, assignments: Sequence[Assignment]) -> dict[str, Any]:
    """The request."""
    return {
        "campaignId": campaign_id,
        "assignments": [_assignment(assignment) for assignment in assignments],
    }


def results(content: Any, call: Call, expected: int) -> tuple[AssignmentResult, ...]:
    """The results of as many assignments as were asked for.

    Raises:
        OutcomeUnknown: there are more or fewer, or they are not as documented.
    """
    found = read(Results, content, call).results
    if len(found) != expected:
        raise call.misread("results", "not as many as there were assignments")
    return tuple(
        AssignmentResult(outcome=result.outcome, reason=result.reason or "") for result in found
    )


def _assignment(assignment: Assignment) -> dict[str, Any]:
    created = assignment.created
    body = {
        "globalUserId": assignment.global_user_id,
        "code": assignment.code,
        "marketId": assignment.market_id,
        "userId": assignment.user_id,
        "created": None if created is None else iso_utc(created),
    }
    return {name: value for name, value in body.items() if value is not None}
