"""What can be wrong, in the words of the documents: problem documents, and Slack's errors."""

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
    "unauthorized": (401, "No valid token"),
    "forbidden": (403, "The token is not for this service"),
    "not-found": (404, "Not found"),
    "no-operation": (404, "No such operation"),
    "not-allowed": (405, "Another method is needed"),
    "key-reused": (409, "The key belongs to another request"),
    "gone": (410, "The search has ended"),
    "invalid": (422, "Not as documented"),
    "refused": (422, "Refused for good"),
    "too-many-requests": (429, "Too many requests"),
    "failed": (500, "Failed"),
    "bad-gateway": (502, "Bad gateway"),
    "unavailable": (503, "Unavailable"),
    "gateway-timeout": (504, "No answer in time"),
}
"""Status and title of each problem."""

_ORDERED: Final = {
    status: name
    for name, (status, _) in STATUSES.items()
    if name not in {"refused", "no-operation"}
}
_TRANSLATED: Final[tuple[tuple[type[CampaignError], str], ...]] = (
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
    """A request is answered with a problem; `detail` and `errors` hold no value of it."""

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
        """The problem that has this status; one that is not documented is called `failed`."""
        problem = cls(_ORDERED.get(status, "failed"), retry_after=retry_after)
        problem.status = status
        return problem


@attrs.frozen(kw_only=True)
class Reply:
    """An answer: JSON, or nothing."""

    content: Any = attrs.field(default=None, repr=False)
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = attrs.field(factory=dict)


def translated(error: CampaignError) -> Problem:
    """The problem that one of our errors is to a caller."""
    for kind, name in _TRANSLATED:
        if isinstance(error, kind):
            detail = str(error) if name in {"not-found", "refused"} else ""
            return Problem(name, detail)
    return Problem("failed")


def problem_reply(problem: Problem, correlation_id: str) -> Reply:
    """A problem as RFC 9457 has it."""
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
    """A problem as Slack tells it: what is wrong with the request comes with a 200."""
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
