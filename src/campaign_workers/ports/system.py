"""Time, limits, figures and secrets."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, and waiting."""

    def now(self) -> datetime:
        """Now, aware, in UTC.

        Raises: nothing.
        """
        ...

    def sleep(self, seconds: float) -> None:
        """Wait in a thread.

        Raises: nothing.
        """
        ...

    async def pause(self, seconds: float) -> None:
        """Wait in a coroutine; others go on meanwhile.

        Raises: nothing.
        """
        ...


class Deadline(Protocol):
    """When this run will be ended from outside."""

    def remaining_seconds(self) -> float:
        """Seconds that are left; infinity when nobody ends the run.

        Raises: nothing.
        """
        ...


class Metrics(Protocol):
    """Figures for operators; dimensions never carry personal data."""

    def count(self, name: str, value: int, **dimensions: str) -> None:
        """Add `value` to a counter.

        Raises: nothing.
        """
        ...


class Secrets(Protocol):
    """Named secrets."""

    def read(self, name: str) -> str:
        """The secret `name`.

        Raises:
            NotFound: there is none.
            RetryLater: the store fails.
        """
        ...
