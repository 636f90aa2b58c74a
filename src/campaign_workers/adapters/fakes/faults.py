"""Injected failures of the fakes, for tests of their callers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import attrs

from campaign_workers.domain.errors import CampaignError, RetryLater


@attrs.frozen(kw_only=True)
class _Fault:
    error: CampaignError
    call: str | None
    answer_lost: bool


@attrs.define
class Faults:
    """The injected faults of one service; each one makes one call fail."""

    _pending: list[_Fault] = attrs.field(factory=list)
    _outage: CampaignError | None = None

    def fail_next(
        self,
        error: CampaignError,
        *,
        call: str | None = None,
        times: int = 1,
        answer_lost: bool = False,
    ) -> None:
        """Make the next calls raise `error`.

        Args:
            error: The error to raise.
            call: The name of the method that fails; any method by default.
            times: The number of calls that fail.
            answer_lost: Whether the call takes effect before it raises.
        """
        fault = _Fault(error=error, call=call, answer_lost=answer_lost)
        self._pending.extend([fault] * times)

    @contextmanager
    def outage(self, error: CampaignError | None = None) -> Iterator[None]:
        """Make every call fail during the context, by default with `RetryLater`."""
        self._outage = error or RetryLater("the service is down")
        try:
            yield
        finally:
            self._outage = None

    @contextmanager
    def around(self, call: str) -> Iterator[None]:
        """Raise the next fault of the method `call`, before or after the body of the context."""
        if self._outage is not None:
            raise self._outage
        fault = self._next_fault(call)
        if fault is not None and not fault.answer_lost:
            raise fault.error
        yield
        if fault is not None:
            raise fault.error

    def _next_fault(self, call: str) -> _Fault | None:
        for position, fault in enumerate(self._pending):
            if fault.call in {None, call}:
                return self._pending.pop(position)
        return None


class HasFaults(Protocol):
    """A fake with injected faults."""

    faults: Faults


_P = ParamSpec("_P")
_R = TypeVar("_R")
_S = TypeVar("_S", bound=HasFaults)


def may_fail(
    method: Callable[Concatenate[_S, _P], _R],
) -> Callable[Concatenate[_S, _P], _R]:
    """Make a method raise the faults of its service."""

    @wraps(method)
    def call(service: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with service.faults.around(method.__name__):
            return method(service, *args, **kwargs)

    return call
