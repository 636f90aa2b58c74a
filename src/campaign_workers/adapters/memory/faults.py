"""Fault injection for the memory adapters, so that tests can make their calls fail."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from campaign_workers.domain.errors import RetryLater


@attrs.define
class FaultInjectionMixin:
    """Makes calls of an adapter fail on request."""

    _next_errors: list[Exception] = attrs.field(factory=list, init=False, repr=False)
    _outage: Exception | None = attrs.field(default=None, init=False, repr=False)

    def fail_next(self, error: Exception, times: int = 1) -> None:
        """Make the next calls raise `error`."""
        self._next_errors.extend([error] * times)

    @contextmanager
    def outage(self, error: Exception | None = None) -> Iterator[None]:
        """Make every call fail while the block runs, by default with `RetryLater`."""
        self._outage = error or RetryLater("injected outage")
        try:
            yield
        finally:
            self._outage = None

    def _raise_injected_fault(self) -> None:
        if self._outage:
            raise self._outage
        if self._next_errors:
            raise self._next_errors.pop(0)
