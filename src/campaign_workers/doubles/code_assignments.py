"""Assignments and their results on the wire, as entry and code service have them."""

from collections.abc import Iterable
from typing import Any

from campaign_workers.domain.codes import Assignment, AssignmentResult
from campaign_workers.doubles.problems import Reply
from campaign_workers.doubles.requests import Asked, moment


def assignments(asked: Asked) -> list[Assignment]:
    """The assignments of a request.

    Raises:
        Problem: a date is none.
    """
    return [_assignment(row, position) for position, row in enumerate(asked.body["assignments"])]


def results(found: Iterable[AssignmentResult]) -> Reply:
    """What became of them."""
    return Reply(content={"results": [_result(result) for result in found]})


def _assignment(row: dict[str, Any], position: int) -> Assignment:
    created = row.get("created")
    field = f"$.assignments[{position}].created"
    return Assignment(
        global_user_id=row["globalUserId"],
        code=row["code"],
        market_id=row.get("marketId"),
        user_id=row.get("userId"),
        created=None if created is None else moment(created, field),
    )


def _result(result: AssignmentResult) -> dict[str, str]:
    reason = {"reason": result.reason} if result.reason else {}
    return {"outcome": str(result.outcome), **reason}
