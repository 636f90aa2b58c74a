"""Replies of the doubles, and their errors as problem documents or in Slack's format."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from campaign_workers.domain.errors import (
    BadInput,
    CampaignError,
    NotFound,
    OutcomeUnknown,
    PermanentFailure,
    RejectRecord,
    RetryLater,
)

STATUSES: Final = {
    "unauthorized": (401, "Missing or unknown token"),
    "forbidden": (403, "The token is not valid for this service"),
    "not-found": (404, "Not found"),
    "no-operation": (404, "No such operation"),
    "not-allowed": (405, "Method not allowed"),
    "key-reused": (409, "The idempotency key belongs to another request"),
    "gone": (410, "The search has expired"),
    "invalid": (422, "Not as documented"),
    "refused": (422, "Refused for good"),
    "too-many-requests": (429, "Too many requests"),
    "failed": (500, "Internal error"),
    "bad-gateway": (502, "Bad gateway"),
    "unavailable": (503, "Unavailable"),
    "gateway-timeout": (504, "Gateway timeout"),
}
"""Status and title of each problem."""

_BY_STATUS: Final = {
    status: name
    for name, (status, _) in STATUSES.items()
    if name not in {"refused", "no-operation"}
}
_BY_ERROR: Final[tuple[tuple[type[CampaignError], str], ...]] = (
    (NotFound, "not-found"),
    (BadInput, "invalid"),
    (PermanentFailure, "refused"),
    (RejectRecord, "refused"),
    (OutcomeUnknown, "gateway-timeout"),
    (RetryLater, "unavailable"),
)
_SLACK: Final = {
    "unauthorized": "invalid_auth",
    "forbidden": "missing_scope",
    "invalid": "invalid_arguments",
    "too-many-requests": "ratelimited",
    "unavailable": "service_unavailable",
    "gateway-timeout": "request_timeout",
}


class Problem(Exception):
    """A request ends with a problem; `detail` and `errors` quote no value of the request."""

    def __init__(
        self,
        name: str,
        detail: str = "",
        *,
        errors: tuple[tuple[str, str], ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(name)
        self.name, self.detail, self.errors = name, detail, errors
        self.retry_after = retry_after
        self.status, self.title = STATUSES[name]

    @classmethod
    def of_status(cls, status: int, *, retry_after: int | None = None) -> "Problem":
        """Return the problem with this status, named `failed` if the status is undocumented."""
        problem = cls(_BY_STATUS.get(status, "failed"), retry_after=retry_after)
        problem.status = status
        return problem

    @classmethod
    def of_error(cls, error: CampaignError) -> "Problem":
        """Return the problem that a caller receives for an error of a fake."""
        for error_type, name in _BY_ERROR:
            if isinstance(error, error_type):
                # The message of NotFound quotes the campaign id; problems quote no value.
                details = {"not-found": "the campaign does not exist", "refused": str(error)}
                return cls(name, details.get(name, ""))
        return cls("failed")


@attrs.frozen(kw_only=True)
class Reply:
    """A response before faults: JSON content, or None for an empty body."""

    content: Any = attrs.field(default=None, repr=False)
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = attrs.field(factory=dict)


def problem_reply(problem: Problem, correlation_id: str) -> Reply:
    """Return a problem document (RFC 9457)."""
    content: dict[str, Any] = {
        "type": problem.name,
        "title": problem.title,
        "status": problem.status,
        "correlationId": correlation_id,
    }
    if problem.detail:
        content["detail"] = problem.detail
    if problem.errors:
        content["errors"] = [{"field": f, "problem": p} for f, p in problem.errors]
    return Reply(
        content=content,
        status=problem.status,
        media_type="application/problem+json",
        headers=_retry_after(problem),
    )


def slack_reply(problem: Problem, _: str) -> Reply:
    """Return an error in Slack's format; errors in the request have status 200."""
    error = problem.detail if problem.name == "refused" else _SLACK.get(problem.name)
    return Reply(
        content={"ok": False, "error": error or "internal_error"},
        status=problem.status
        if problem.status in {404, 405, 429} or problem.status >= 500
        else 200,
        headers=_retry_after(problem),
    )


def _retry_after(problem: Problem) -> dict[str, str]:
    return {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
