"""The runtime's memory bears the end of a process between any two of its writes."""

from typing import Any

from campaign_workers.adapters.local.journal import DeadLetter, Journal, Position, Run
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.testing.crashes import Fuse, Killed


def entries(journal: Journal) -> list[str]:
    """Workers of the events that are pending, oldest first."""
    return [worker for _, worker, _ in journal.expected()]


def test_no_entry_is_written_over_another() -> None:
    """Wherever a process ends while it notes an event, every noted one stays, in order."""
    count = Fuse()
    Journal(lambda name: count.wrap(DictTables()(name))).expect("second", {})
    assert count.calls > 2
    for at in range(1, count.calls + 1):
        tables = DictTables()
        Journal(tables).expect("first", {})
        _killed_while_expecting(tables, "second", at)
        Journal(tables).expect("third", {})
        assert entries(Journal(tables)) in (["first", "third"], ["first", "second", "third"])


def _killed_while_expecting(tables: DictTables, worker: str, at: int) -> None:
    fuse = Fuse(at=at, side="after")

    def fused(name: str) -> Any:
        return fuse.wrap(tables(name))

    try:
        Journal(fused).expect(worker, {})
    except Killed:
        return
    raise AssertionError("the process lived on")


def test_everything_is_remembered() -> None:
    """Events, positions, ends, letters and runs are there for another process."""
    tables = DictTables()
    journal = Journal(tables)
    letter = DeadLetter(worker="w", source="s", attempts=3, reason="r")
    run = Run(worker="w", source="s", at="2026-05-04T12:00:00+00:00", result={"count": {"in": 1}})
    journal.expect("w", {"key": "k"})
    journal.move("c", Position(done="7", until="9"))
    journal.finish("wave")
    journal.bury(letter)
    journal.record(run)
    later = Journal(tables)
    [(key, worker, event)] = later.expected()
    assert (worker, event) == ("w", {"key": "k"})
    assert (later.position("c"), later.position("d")) == (Position(done="7", until="9"), Position())
    assert (later.is_finished("wave"), later.is_finished("other")) == (True, False)
    assert (later.dead_letters(), list(later.runs())) == ((letter,), [run])
    later.delivered(key)
    assert list(journal.expected()) == []
