"""When Lambda ends the run."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import attrs


@runtime_checkable
class LambdaContext(Protocol):
    """What is asked of the context of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended."""
        ...


@attrs.define
class LambdaDeadline:
    """What is left of the invocation that was entered; nobody ends a run outside of one."""

    _context: LambdaContext | None = attrs.field(default=None, init=False)

    @contextmanager
    def during(self, context: object) -> Iterator[None]:
        """Within this, the run ends when `context` says; one that says nothing sets no end."""
        before = self._context
        self._context = context if isinstance(context, LambdaContext) else None
        try:
            yield
        finally:
            self._context = before

    def remaining_seconds(self) -> float:
        """See `Deadline.remaining_seconds`."""
        if self._context is None:
            return math.inf
        return max(0.0, self._context.get_remaining_time_in_millis() / 1000)
