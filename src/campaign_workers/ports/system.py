"""Ports of the runtime: clock, deadline, metrics and secrets."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The time, and waiting."""

    def now(self) -> datetime:
        """Return the current time, aware and in UTC.

        Raises: nothing.
        """
        ...

    def sleep(self, seconds: float) -> None:
        """Block the thread for some seconds.

        Raises: nothing.
        """
        ...

    async def pause(self, seconds: float) -> None:
        """Suspend the coroutine for some seconds; other coroutines continue.

        Raises: nothing.
        """
        ...


class Deadline(Protocol):
    """The time limit of the current run."""

    def remaining_seconds(self) -> float:
        """Return the seconds until the run is terminated; infinity if there is no limit.

        Raises: nothing.
        """
        ...


class Metrics(Protocol):
    """Counters for operators; dimensions never carry personal data."""

    def count(self, name: str, value: int, **dimensions: str) -> None:
        """Add `value` to the counter with this name and these dimensions.

        Raises: nothing.
        """
        ...


class Secrets(Protocol):
    """Secrets by name."""

    def read(self, name: str) -> str:
        """Return the secret `name`.

        Raises:
            NotFound: there is no such secret.
            RetryLater: the store fails.
        """
        ...
