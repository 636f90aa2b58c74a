"""The journal loses no event of concurrent writers."""

from functools import partial

from campaign_workers.adapters.local.journal import DeadLetter, Journal, Position, Run
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.testing.contracts._base import race


def test_no_entry_is_written_over_another() -> None:
    """Concurrent events get distinct, ordered numbers."""
    tables = DictTables()

    def expect(thread: int) -> None:
        for number in range(50):
            Journal(tables).add_event(f"{thread}/{number:02}", {})

    race(*(partial(expect, thread) for thread in range(4)))
    found = [worker for _, worker, _ in Journal(tables).pending_events()]
    for thread in range(4):
        mine = [worker for worker in found if worker.startswith(f"{thread}/")]
        assert mine == [f"{thread}/{number:02}" for number in range(50)]


def test_everything_is_remembered() -> None:
    """Events, positions, ends, letters and runs are there for another process."""
    tables = DictTables()
    journal = Journal(tables)
    letter = DeadLetter(worker="w", source="s", attempts=3, reason="r")
    run = Run(worker="w", source="s", at="2026-05-04T12:00:00+00:00", result={"count": {"in": 1}})
    journal.add_event("w", {"key": "k"})
    journal.save_position("c", Position(done="7", until="9"))
    journal.mark_finished("wave")
    journal.add_dead_letter(letter)
    journal.record_run(run)
    later = Journal(tables)
    [(key, worker, event)] = later.pending_events()
    assert (worker, event) == ("w", {"key": "k"})
    assert (later.position("c"), later.position("d")) == (Position(done="7", until="9"), Position())
    assert (later.is_finished("wave"), later.is_finished("other")) == (True, False)
    assert (later.dead_letters(), list(later.runs())) == ((letter,), [run])
    later.remove_event(key)
    assert list(journal.pending_events()) == []
