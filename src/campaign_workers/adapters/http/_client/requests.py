"""One request to a service, its response, its limits, and the errors that they lead to."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar
from uuid import uuid4

import attrs

from campaign_workers.domain.errors import OutcomeUnknown, PermanentFailure, RetryLater

_T = TypeVar("_T")

_log = logging.getLogger(__name__)
_positive = attrs.validators.gt(0)


@attrs.frozen(kw_only=True)
class HttpLimits:
    """Timeouts, retries and sizes of one client; the units are in the names.

    An attempt may take `connect_timeout_seconds` to connect and `read_timeout_seconds` between two
    parts of the response; it is abandoned if the body is still incomplete after
    `attempt_timeout_seconds`. A request has `attempts` attempts within `total_timeout_seconds`.
    The backoff between them doubles from `initial_backoff_seconds`. No pause is longer than
    `max_backoff_seconds`, whether the client or the service chose it.
    """

    connect_timeout_seconds: float = attrs.field(default=3, validator=_positive)
    read_timeout_seconds: float = attrs.field(default=10, validator=_positive)
    attempt_timeout_seconds: float = attrs.field(default=30, validator=_positive)
    attempts: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    initial_backoff_seconds: float = attrs.field(default=0.2, validator=attrs.validators.ge(0))
    max_backoff_seconds: float = attrs.field(default=20, validator=attrs.validators.ge(0))
    total_timeout_seconds: float = attrs.field(default=120, validator=_positive)
    max_connections: int = attrs.field(default=20, validator=attrs.validators.ge(1))
    max_response_bytes: int = attrs.field(default=64 * 2**20, validator=attrs.validators.ge(1))

    def retry_options(self) -> dict[str, Any]:
        """Return the arguments of `stamina.retry_context`."""
        return {
            "attempts": self.attempts,
            "timeout": self.total_timeout_seconds,
            "wait_initial": self.initial_backoff_seconds,
            "wait_jitter": self.initial_backoff_seconds,
            "wait_max": self.max_backoff_seconds,
        }


class ServiceBusy(RetryLater):
    """The service asks for a pause of `seconds`; nothing was carried out."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class AttemptFailed(Exception):
    """One attempt failed; another may succeed.

    `unknown` is true if the request may have been carried out. `retry_after` is the number of
    seconds that the service asks the client to wait.
    """

    def __init__(self, problem: str, *, unknown: bool, retry_after: float | None = None) -> None:
        super().__init__(problem)
        self.problem, self.unknown, self.retry_after = problem, unknown, retry_after


@attrs.frozen(kw_only=True)
class ServiceRequest:
    """A request to one operation of one service, and the errors that it can end in.

    `changes` is true if the operation has an effect, so that a lost response leaves the outcome
    unknown. `key` is the idempotency key, sent with every POST; `takes_key` is true if the service
    recognises repeats by it. Errors never quote `body`; `path` and `query` must not contain
    personal data.
    """

    service: str
    method: str
    path: str
    expects: int = 200
    query: tuple[tuple[str, str], ...] = ()
    body: Any = attrs.field(default=None, repr=False)
    key: str = attrs.field(factory=lambda: str(uuid4()))
    changes: bool = False
    takes_key: bool = False
    correlation_id: str = attrs.field(factory=lambda: uuid4().hex)

    def headers(self) -> dict[str, str]:
        """Return the headers of every attempt, without the token."""
        key = {"Idempotency-Key": self.key} if self.method == "POST" else {}
        return {"X-Correlation-Id": self.correlation_id, **key}

    def describe(self, problem: str) -> str:
        """Return a message with the service, the problem, the operation and the correlation id."""
        place = f"{self.method} {self.path}, correlation id {self.correlation_id}"
        return f"{self.service} service: {problem} ({place})"

    def permanent_failure(self, problem: str) -> PermanentFailure:
        """Return the error for a request that the service refuses for good.

        Workers write its text into files that must be identical in every run. The correlation id
        differs between runs, so it is only logged.
        """
        _log.info("%s", self.describe(problem))
        return PermanentFailure(f"{self.service} service: {problem} ({self.method} {self.path})")

    def failure(self, problem: str, *, unknown: bool) -> RetryLater:
        """Return the error for a failed request.

        Args:
            problem: What went wrong, without values of the request.
            unknown: Whether the request may have been carried out.
        """
        error = OutcomeUnknown if unknown and self.changes else RetryLater
        return error(self.describe(problem))

    def malformed_response(self, field: str, problem: str) -> RetryLater:
        """Return the error for a successful response that does not match the documentation."""
        return self.failure(f"the response is not as documented: {field}: {problem}", unknown=True)


@attrs.frozen(kw_only=True)
class ServiceResponse:
    """The complete response to one attempt."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


def batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield the items in order, in lists of at most `size`."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def unique_batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield each item once, in order of first occurrence, in lists of at most `size`."""
    return batches(dict.fromkeys(items), size)
