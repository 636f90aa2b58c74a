"""saveStats: every open campaign is counted and stored, whatever happens to another."""

from typing import Any

import pytest

from campaign_workers.adapters.fakes.entries import FakeEntryService
from campaign_workers.domain.errors import Fatal, NotFound, RetryLater
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.running.reports import Report, attached_report
from campaign_workers.domain.stats import AdminStats, admin_stats
from campaign_workers.testing.builders import batch, campaign, registration
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from campaign_workers.workers.save_stats import SaveStats
from tests.worlds import NOW, World, no_wrapper


def a_world(wrap: Any = no_wrapper) -> World:
    """Two open campaigns with entries, and a closed one."""
    world = World(wrap)
    for name, status in (("a", "OPEN"), ("b", "OPEN"), ("closed", "CLOSED")):
        world.campaigns.put(campaign(name, status=status))
        fans = [registration(f"g{number}", campaignId=name) for number in range(3)]
        world.entries.consume(batch(fans))
    return world


def save(world: World, **ports: Any) -> Report:
    """Run the worker once."""
    served = {
        "campaigns": world.campaigns,
        "entries": world.entries,
        "stats": world.stats,
        "clock": world.clock,
    }
    return SaveStats(**world.ports(**(served | ports)))(Tick())


class Torn:
    """Entries that cannot be counted for one campaign."""

    def __init__(self, entries: FakeEntryService, campaign_id: str, error: Exception) -> None:
        self.entries, self.campaign_id, self.error = entries, campaign_id, error

    def admin_stats(self, campaign_id: str) -> AdminStats:
        """As the entries."""
        if campaign_id == self.campaign_id:
            raise self.error
        return self.entries.admin_stats(campaign_id)


def test_open_campaigns_are_counted_and_stored() -> None:
    """What is stored are the figures of the campaign's entries; closed campaigns are left."""
    world = a_world()
    report = save(world)
    assert report.counts == {"in": 2, "out": 2, "rejected": 0, "duplicates": 0}
    document = world.stats.read("a")
    assert document is not None
    assert document.stats == admin_stats(world.entries.entries("a"))
    assert (document.stats.total, document.updated) == (3, NOW)
    assert world.stats.read("closed") is None


def test_what_was_posted_is_left_alone() -> None:
    """The figures change, the note of the last post stays."""
    world = a_world()
    save(world)
    world.stats.mark_posted("a", {"total": 1})
    save(world)
    document = world.stats.read("a")
    assert document is not None
    assert document.last_posted == {"total": 1}


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (RetryLater("busy"), RetryLater, "1 of 2 campaigns failed: a: busy"),
        (NotFound("gone"), Fatal, "1 of 2 campaigns failed: a: gone"),
        (KeyError("date"), KeyError, "date"),
    ],
)
def test_a_failing_campaign_does_not_stop_the_others(
    error: Exception, raised: type[Exception], message: str
) -> None:
    """The others are stored; then the run fails, says which campaign, and counts it."""
    world = a_world()
    with pytest.raises(raised, match=message) as failure:
        save(world, entries=Torn(world.entries, "a", error))
    assert world.stats.read("a") is None
    assert world.stats.read("b") is not None
    report = attached_report(failure.value)
    assert report is not None
    assert report.counts == {"in": 2, "out": 1, "rejected": 1, "duplicates": 0}


def test_no_open_campaign_is_nothing_to_do() -> None:
    """An empty collection gives zeros."""
    assert set(save(World()).counts.values()) == {0}


def test_a_second_tick_stores_the_same() -> None:
    """At the same moment, twice is as once."""
    world = a_world()
    save(world)
    once = list(world.tables("adminStats").scan())
    save(world)
    assert list(world.tables("adminStats").scan()) == once


def test_it_may_be_killed_at_any_call() -> None:
    """Killed before or after any port call and run again, it ends as one clean run."""

    def build(wrap: Any) -> CrashCase:
        world = a_world(wrap)
        return CrashCase(
            run=lambda: save(world), snapshot=lambda: list(world.tables("adminStats").scan())
        )

    assert assert_survives_every_kill(build) >= 10
