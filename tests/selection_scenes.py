"""saveSelection in a world of memory adapters, and what others see after it ran."""

from typing import Any

from campaign_workers.domain.running.events import StreamBatch
from campaign_workers.domain.running.reports import Report
from campaign_workers.ports.tables import SelectedEvent
from campaign_workers.workers.save_selection import SaveSelection
from tests.worlds import World, contents, first_of_each, messages

DATE = "2026-09-20T00:00:00Z"


def save(world: World, records: StreamBatch, **ports: Any) -> Report:
    """Run the worker once."""
    served = {
        "entries": world.entries,
        "demand": world.demand,
        "verdicts": world.verdicts,
        "lake": world.lake,
    }
    return SaveSelection(**world.ports(**(served | ports)))(records)


def refresh(fan: str = "g1", **overrides: Any) -> dict[str, Any]:
    """A request to show a fan's codes again."""
    record = {"type": "selectionRefresh", "campaignId": "tour", "globalUserId": fan}
    return record | overrides


def event(code: str, date: str = DATE) -> SelectedEvent:
    """A code as the demand table shows it."""
    return SelectedEvent(code=code, date=date)


def snapshot(world: World) -> Any:
    """All that others see, copies of messages dropped."""
    tables = {
        name: list(world.tables(name).scan())
        for name in ("entries.fans", "entries.holders", "demand")
    }
    return tables, contents(world.lake), first_of_each(messages(world.verdicts), "messageId")
