"""Failures to order, so that callers can be tried on a bad day."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from campaign_workers.domain.errors import RetryLater


@attrs.define
class FaultInjectionMixin:
    """What fails when it is told to."""

    _coming: list[Exception] = attrs.field(factory=list, init=False, repr=False)
    _outage: Exception | None = attrs.field(default=None, init=False, repr=False)

    def fail_next(self, error: Exception, times: int = 1) -> None:
        """Make the next calls raise `error`."""
        self._coming.extend([error] * times)

    @contextmanager
    def outage(self, error: Exception | None = None) -> Iterator[None]:
        """Make every call fail as long as the context lasts, by default with `RetryLater`."""
        self._outage = error or RetryLater("ordered to fail")
        try:
            yield
        finally:
            self._outage = None

    def _raise_injected_fault(self) -> None:
        if self._outage:
            raise self._outage
        if self._coming:
            raise self._coming.pop(0)
