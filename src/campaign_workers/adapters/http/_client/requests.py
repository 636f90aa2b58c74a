"""Requests of a size that services take.

One call of an operation, an answer to it, and what can be wrong with that.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar
from uuid import uuid4

import attrs

from campaign_workers.domain.errors import OutcomeUnknown, PermanentFailure, RetryLater

_T = TypeVar("_T")


def batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The items in their order, at most `size` at a time."""
    left = iter(items)
    while some := list(islice(left, size)):
        yield some


def different(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The same, each item once."""
    return batches(dict.fromkeys(items), size)


_log = logging.getLogger(__name__)


class ServiceBusy(RetryLater):
    """The service asks for a pause of `seconds`; nothing was carried out."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class TryFailed(Exception):
    """One try failed, and another may succeed.

    `unknown` tells that the request may have been carried out, `wait` how many seconds the
    service wants to be left alone.
    """

    def __init__(self, problem: str, *, unknown: bool, wait: float | None = None) -> None:
        super().__init__(problem)
        self.problem, self.unknown, self.wait = problem, unknown, wait


@attrs.frozen(kw_only=True)
class Call:
    """One operation on one service, with the words that its errors are told in.

    `key` is the idempotency key; a POST has one in any case. `changes` tells that something is
    different once it is carried out, so that a lost answer matters; `takes_key` that the service
    knows repeats by the key. No value of `body` is ever in an error, and nothing personal may stand
    in `path` and `query`.
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
        """The headers of every try, without the token."""
        key = {"Idempotency-Key": self.key} if self.method == "POST" else {}
        return {"X-Correlation-Id": self.correlation_id, **key}

    def told(self, problem: str) -> str:
        """A problem as errors tell it."""
        place = f"{self.method} {self.path}, correlation id {self.correlation_id}"
        return f"{self.service} service: {problem} ({place})"

    def refused(self, problem: str) -> PermanentFailure:
        """The service refused for good.

        Workers write the reason into files that have to be the same on every run, so that the
        correlation id is in the log alone.
        """
        _log.info("%s", self.told(problem))
        return PermanentFailure(f"{self.service} service: {problem} ({self.method} {self.path})")

    def failed(self, problem: str, *, unknown: bool) -> RetryLater:
        """The service failed; what changes something may have happened if that is `unknown`."""
        kind = OutcomeUnknown if unknown and self.changes else RetryLater
        return kind(self.told(problem))

    def misread(self, field: str, problem: str) -> RetryLater:
        """The answer says that it is done, but is not as documented."""
        return self.failed(f"the answer is not as documented: {field}: {problem}", unknown=True)


@attrs.frozen(kw_only=True)
class Answer:
    """What a service answered."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
