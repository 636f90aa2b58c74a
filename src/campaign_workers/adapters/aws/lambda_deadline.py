"""The `Deadline` port on the time limit of a Lambda invocation."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import attrs


@runtime_checkable
class LambdaContext(Protocol):
    """The part of the context of an invocation that the deadline uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation."""
        ...


@attrs.define
class LambdaDeadline:
    """Serves `Deadline` with the time left of the current invocation.

    Outside of an invocation there is no limit.
    """

    _context: LambdaContext | None = attrs.field(default=None, init=False)

    @contextmanager
    def during(self, context: object) -> Iterator[None]:
        """Apply the time limit of `context`, if it has one, for as long as the block runs."""
        previous = self._context
        self._context = context if isinstance(context, LambdaContext) else None
        try:
            yield
        finally:
            self._context = previous

    def remaining_seconds(self) -> float:
        """See `Deadline.remaining_seconds`."""
        if self._context is None:
            return math.inf
        return max(0.0, self._context.get_remaining_time_in_millis() / 1000)
