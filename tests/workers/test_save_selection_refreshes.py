"""saveSelection: a refresh copies the codes of the entry store, also during assignments."""

from typing import Any

import attrs
import pytest

from campaign_workers.domain.errors import RetryLater
from campaign_workers.testing.builders import assignment, batch, code_assignment
from tests.selection_scenes import event, refresh, save
from tests.worlds import World, messages


def test_a_refresh_shows_what_the_entry_store_has() -> None:
    """Stale events go, missing ones come, nothing is assigned and the queue hears nothing."""
    world = World()
    world.entries.assign_codes("tour", [assignment("g1", "A"), assignment("g2", "B")])
    world.demand.select("g1", "tour", {"nyc": event("OLD"), "lax": event("GONE")})
    world.demand.select("g3", "tour", {"nyc": event("GONE")})
    report = save(world, batch([refresh("g1"), refresh("g2", extra=1), refresh("g3")]))
    assert report.counts["out"] == 3
    shown = "2026-09-01T00:00:00Z"
    assert world.demand.read("g1", "tour") == {"nyc": event("A", shown)}
    assert world.demand.read("g2", "tour") == {"nyc": event("B", shown)}
    assert world.demand.read("g3", "tour") == {}
    assert messages(world.verdicts) == []


def test_a_refresh_before_an_assignment_of_its_batch_shows_it_all_the_same() -> None:
    """Within a batch the order of refresh and assignment makes no difference."""
    orders = [refresh("g1"), code_assignment()], [code_assignment(), refresh("g1")]
    first, second = World(), World()
    for world, records in zip((first, second), orders, strict=True):
        assert save(world, batch(records)).counts["out"] == 2
    assert first.demand.read("g1", "tour") == second.demand.read("g1", "tour") != {}


@attrs.define
class Overtaken:
    """A demand table during whose replacement another run assigns a code."""

    world: World
    left: int

    def read(self, fan: str, campaign_id: str) -> Any:
        """As the table."""
        return self.world.demand.read(fan, campaign_id)

    def replace(self, fan: str, campaign_id: str, events: Any) -> None:
        """Write as the table does, after another run."""
        if self.left:
            self.left -= 1
            new = assignment(fan, f"NEW{self.left}", market_id=f"m{self.left}")
            self.world.entries.assign_codes(campaign_id, [new])
            self.world.demand.select(fan, campaign_id, {f"m{self.left}": event(new.code)})
        self.world.demand.replace(fan, campaign_id, events)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_refresh_takes_no_event_away_that_was_just_added(times: int) -> None:
    """A code that is assigned between read and write is shown in the end."""
    world = World()
    world.entries.assign_codes("tour", [assignment("g1", "A")])
    save(world, batch([refresh("g1")]), demand=Overtaken(world, times))
    shown = world.demand.read("g1", "tour") or {}
    assert set(shown) == {"nyc", *(f"m{number}" for number in range(times))}


def test_a_refresh_that_never_catches_up_is_given_back() -> None:
    """Codes that keep changing are no reason to go on for ever."""
    world = World()
    world.entries.assign_codes("tour", [assignment("g1", "A")])
    with pytest.raises(RetryLater, match="kept changing"):
        save(world, batch([refresh("g1")]), demand=Overtaken(world, 99))
