"""The persistent state of the embedded runtime: pending events, positions, runs, dead letters."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import attrs


class _Table(Protocol):
    """The part of `KeyedTable` that the journal needs."""

    def get(self, key: str) -> dict[str, Any] | None: ...
    def put(self, key: str, row: dict[str, Any]) -> None: ...
    def delete(self, keys: list[str]) -> None: ...
    def scan(
        self, prefix: str = "", *, after: str = ""
    ) -> Iterator[tuple[str, dict[str, Any]]]: ...
    def atomic(self) -> AbstractContextManager[None]: ...


@attrs.frozen(kw_only=True)
class DeadLetter:
    """Work that failed at every attempt; `source` is its origin, `reason` the last error."""

    worker: str
    source: str
    attempts: int
    reason: str

    def wire(self) -> dict[str, Any]:
        """Return the letter as a JSON object."""
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
    """A consumer's position in a shard, as sequence numbers.

    `done` is the last record that was processed, `until` the last one of the batch in flight.
    """

    done: str | None = None
    until: str | None = None


class Journal:
    """Stores the runtime's state in named tables, so that another process can continue."""

    def __init__(self, tables: Callable[[str], Any]) -> None:
        self._events: _Table = tables("runtime.events")
        self._positions: _Table = tables("runtime.positions")
        self._dead: _Table = tables("runtime.deadLetters")
        self._runs: _Table = tables("runtime.runs")
        self._finished: _Table = tables("runtime.finished")
        self._numbers: _Table = tables("runtime.numbers")

    def add_event(self, worker: str, event: dict[str, Any]) -> None:
        """Add an event that `worker` has to be called with."""
        self._append(self._events, "events", {"worker": worker, "event": event})

    def pending_events(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield key, worker and content of each undelivered event, oldest first."""
        for key, row in list(self._events.scan()):
            yield key, row["worker"], row["event"]

    def remove_event(self, key: str) -> None:
        """Remove an event that was delivered or became a dead letter."""
        self._events.delete([key])

    def position(self, consumer: str) -> Position:
        """Load the position of a consumer in a shard."""
        return Position(**(self._positions.get(consumer) or {}))

    def save_position(self, consumer: str, position: Position) -> None:
        """Save the position of a consumer in a shard."""
        self._positions.put(consumer, attrs.asdict(position))

    def mark_finished(self, execution: str) -> None:
        """Record that an execution of the state machine has ended."""
        self._finished.put(execution, {})

    def is_finished(self, execution: str) -> bool:
        """Return whether an execution of the state machine has ended."""
        return self._finished.get(execution) is not None

    def add_dead_letter(self, letter: DeadLetter) -> None:
        """Add work that failed at every attempt."""
        self._append(self._dead, "deadLetters", attrs.asdict(letter))

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """Return all dead letters, oldest first."""
        return tuple(DeadLetter(**row) for _, row in self._dead.scan())

    def record_run(self, run: Run) -> None:
        """Record the result of a successful run."""
        self._append(self._runs, "runs", attrs.asdict(run))

    def runs(self) -> Iterator[Run]:
        """Return the recorded runs, oldest first."""
        return (Run(**row) for _, row in self._runs.scan())

    def _append(self, table: _Table, kind: str, row: dict[str, Any]) -> None:
        """Add a row under the next number; both are written in one transaction.

        Otherwise a crash in between would let the next row overwrite this one.
        """
        with table.atomic():
            number = (self._numbers.get(kind) or {"next": 0})["next"]
            table.put(f"{number:012d}", row)
            self._numbers.put(kind, {"next": number + 1})
