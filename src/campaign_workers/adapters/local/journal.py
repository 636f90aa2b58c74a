"""What the embedded runtime remembers: what is pending, how far it is, what it did."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import attrs


class _Table(Protocol):
    """The part of a keyed table that the journal needs."""

    def get(self, key: str) -> dict[str, Any] | None: ...
    def put(self, key: str, row: dict[str, Any]) -> None: ...
    def delete(self, keys: list[str]) -> None: ...
    def scan(
        self, prefix: str = "", *, after: str = ""
    ) -> Iterator[tuple[str, dict[str, Any]]]: ...
    def atomic(self) -> AbstractContextManager[None]: ...


@attrs.frozen(kw_only=True)
class DeadLetter:
    """Work that failed at every attempt; `source` says what it was, `reason` what went wrong."""

    worker: str
    source: str
    attempts: int
    reason: str

    def wire(self) -> dict[str, Any]:
        """The letter as a JSON object."""
        return attrs.asdict(self)


@attrs.frozen(kw_only=True)
class Run:
    """One successful run of a worker."""

    worker: str
    source: str
    at: str
    result: dict[str, Any]


@attrs.frozen(kw_only=True)
class Position:
    """How far a consumer of a shard is: done with `done`; under way up to and with `until`."""

    done: str | None = None
    until: str | None = None


class Journal:
    """The runtime's memory over named tables, so that another process can go on with it."""

    def __init__(self, tables: Callable[[str], Any]) -> None:
        self._events: _Table = tables("runtime.events")
        self._positions: _Table = tables("runtime.positions")
        self._dead: _Table = tables("runtime.deadLetters")
        self._runs: _Table = tables("runtime.runs")
        self._finished: _Table = tables("runtime.finished")
        self._numbers: _Table = tables("runtime.numbers")

    def expect(self, worker: str, event: dict[str, Any]) -> None:
        """Remember an event that `worker` is to be called with."""
        self._append(self._events, "events", {"worker": worker, "event": event})

    def expected(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Events not yet delivered, oldest first: their key, worker and content."""
        for key, row in list(self._events.scan()):
            yield key, row["worker"], row["event"]

    def delivered(self, key: str) -> None:
        """Forget an event that was delivered or went to the dead letters."""
        self._events.delete([key])

    def position(self, consumer: str) -> Position:
        """How far a consumer of a shard is."""
        return Position(**(self._positions.get(consumer) or {}))

    def move(self, consumer: str, position: Position) -> None:
        """Remember how far a consumer of a shard is."""
        self._positions.put(consumer, attrs.asdict(position))

    def finish(self, execution: str) -> None:
        """An execution of the state machine ended."""
        self._finished.put(execution, {})

    def is_finished(self, execution: str) -> bool:
        """Whether an execution of the state machine ended."""
        return self._finished.get(execution) is not None

    def bury(self, letter: DeadLetter) -> None:
        """Keep work that failed at every attempt."""
        self._append(self._dead, "deadLetters", attrs.asdict(letter))

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """Everything that failed at every attempt, oldest first."""
        return tuple(DeadLetter(**row) for _, row in self._dead.scan())

    def record(self, run: Run) -> None:
        """Keep the outcome of a run."""
        self._append(self._runs, "runs", attrs.asdict(run))

    def runs(self) -> Iterator[Run]:
        """Outcomes of all runs, oldest first."""
        return (Run(**row) for _, row in self._runs.scan())

    def _append(self, table: _Table, kind: str, row: dict[str, Any]) -> None:
        """Number and row are written together: else the next one would be written over this."""
        with table.atomic():
            number = (self._numbers.get(kind) or {"next": 0})["next"]
            table.put(f"{number:012d}", row)
            self._numbers.put(kind, {"next": number + 1})
