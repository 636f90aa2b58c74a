"""Failures to order, so that callers can be tried against a service on a bad day."""

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
    """What goes wrong next at one service; each fault that was ordered strikes one call."""

    _coming: list[_Fault] = attrs.field(factory=list)
    _outage: CampaignError | None = None

    def fail_next(
        self,
        error: CampaignError,
        *,
        call: str | None = None,
        times: int = 1,
        answer_lost: bool = False,
    ) -> None:
        """Let the next calls (of the method `call`, if one is named) raise `error`.

        With `answer_lost` the request is carried out before, and only its answer is lost.
        """
        fault = _Fault(error=error, call=call, answer_lost=answer_lost)
        self._coming.extend([fault] * times)

    @contextmanager
    def outage(self, error: CampaignError | None = None) -> Iterator[None]:
        """Let every call fail as long as the context lasts, by default with `RetryLater`."""
        self._outage = error or RetryLater("the service is down")
        try:
            yield
        finally:
            self._outage = None

    @contextmanager
    def around(self, call: str) -> Iterator[None]:
        """Raise what is due, before or after one call of the method `call`."""
        if self._outage is not None:
            raise self._outage
        fault = self._due(call)
        if fault is not None and not fault.answer_lost:
            raise fault.error
        yield
        if fault is not None:
            raise fault.error

    def _due(self, call: str) -> _Fault | None:
        for position, fault in enumerate(self._coming):
            if fault.call in {None, call}:
                return self._coming.pop(position)
        return None


class Faulty(Protocol):
    """Has faults of its own."""

    faults: Faults


_P = ParamSpec("_P")
_R = TypeVar("_R")
_S = TypeVar("_S", bound=Faulty)


def may_fail(
    method: Callable[Concatenate[_S, _P], _R],
) -> Callable[Concatenate[_S, _P], _R]:
    """A method that the faults of its service strike."""

    @wraps(method)
    def call(service: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with service.faults.around(method.__name__):
            return method(service, *args, **kwargs)

    return call
