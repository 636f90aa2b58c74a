"""What a response means: success, retry, refusal, or a breach of the documentation."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol

from campaign_workers.adapters.http._client.requests import (
    AttemptFailed,
    ServiceRequest,
    ServiceResponse,
)
from campaign_workers.domain.errors import CampaignError, NotFound
from campaign_workers.domain.records.types import parse_json as strict_json

UNAUTHORIZED: Final = 401
PROBLEM: Final = "application/problem+json"
NOT_CARRIED_OUT: Final = frozenset({429, 503})
"""Statuses which guarantee that the request had no effect and may be retried."""

_SAFE_NAME: Final = re.compile(r"[a-z][a-z_-]{0,63}")
_CONFLICT: Final = 409
_REFUSED: Final = 422
_KEY_REUSED: Final = (_CONFLICT, "key-reused")
_NO_ACCESS: Final = frozenset({UNAUTHORIZED, 403})


class ResponsePolicy(Protocol):
    """How to interpret the responses of a service."""

    def refuses_token(self, response: ServiceResponse) -> bool:
        """Return whether the token was refused, so that a new one may help.

        Raises: nothing.
        """
        ...

    def parse(self, request: ServiceRequest, response: ServiceResponse) -> Any:
        """Return the JSON content of a successful response, None if it has no body.

        Raises:
            AttemptFailed: the request failed or its outcome is unknown; it may be retried at once.
            CampaignError: the request failed, and retrying at once cannot help.
        """
        ...


class ProblemPolicy:
    """HTTP statuses and problem documents, as in every service's documentation but Slack's.

    Only 422 and a reused key mean that a request is refused for good. Any other undocumented status
    points to a wrong address, token or version, which does not concern the request itself, so the
    work is retried later. Any other 409 may stem from an earlier attempt: the outcome is unknown.
    """

    def refuses_token(self, response: ServiceResponse) -> bool:
        """See `ResponsePolicy.refuses_token`."""
        return response.status == UNAUTHORIZED

    def parse(self, request: ServiceRequest, response: ServiceResponse) -> Any:
        """See `ResponsePolicy.parse`."""
        if response.status == request.expects:
            return parse_json(response.body) if response.body else None
        raise_if_retryable(response)
        raise _error(request, response)


def raise_if_retryable(response: ServiceResponse) -> None:
    """Raise if the status is 429 or 5xx.

    Raises:
        AttemptFailed: it is.
    """
    unknown = response.status not in NOT_CARRIED_OUT
    if response.status >= 500 or not unknown:
        raise AttemptFailed(
            f"status {response.status}", unknown=unknown, retry_after=retry_after(response)
        )


def retry_after(response: ServiceResponse) -> float | None:
    """Return the header `Retry-After` (seconds or a date) in seconds, None if it is absent."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        until = parsedate_to_datetime(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def parse_json(body: bytes) -> Any:
    """Return the JSON content of a body.

    Raises:
        AttemptFailed: it is not JSON; something between the service and the client damaged it.
    """
    try:
        return strict_json(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise AttemptFailed("the response is not valid JSON", unknown=True) from None


def safe_name(value: object) -> str | None:
    """Return an error name that a service sent, None if it could be anything but a name."""
    return value if isinstance(value, str) and _SAFE_NAME.fullmatch(value) else None


def _error(request: ServiceRequest, response: ServiceResponse) -> CampaignError:
    name = _problem_name(response)
    status = f"status {response.status}, {name or 'no reason given'}"
    reused = request.takes_key and (response.status, name) == _KEY_REUSED
    if reused or response.status == _REFUSED:
        return request.permanent_failure(f"refused for good, {status}")
    if response.status in _NO_ACCESS:
        return request.failure(f"the token is refused, {status}", unknown=False)
    if (response.status, name) == (404, "not-found"):
        return NotFound(request.describe("not found"))
    unknown = 200 <= response.status < 300 or response.status == _CONFLICT
    return request.failure(f"undocumented response, {status}", unknown=unknown)


def _problem_name(response: ServiceResponse) -> str | None:
    """Return the `type` of a problem document, None if there is none.

    Raises:
        AttemptFailed: the problem document was damaged on the way.
    """
    if not response.headers.get("content-type", "").lower().startswith(PROBLEM):
        return None
    try:
        problem = parse_json(response.body)
    except AttemptFailed as error:
        raise AttemptFailed(error.problem, unknown=False) from None
    return safe_name(problem.get("type")) if isinstance(problem, Mapping) else None
