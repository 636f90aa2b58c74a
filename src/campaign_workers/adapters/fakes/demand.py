"""The demand table over keyed tables."""

from collections.abc import Mapping

from campaign_workers.adapters.fakes.failures import Faults, may_fail
from campaign_workers.adapters.fakes.tables import Tables, key_of
from campaign_workers.ports.tables import SelectedEvent


class TableDemand:
    """Serves `DemandTable`."""

    def __init__(self, tables: Tables, *, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._items = tables("demand")

    @may_fail
    def select(
        self, global_user_id: str, campaign_id: str, events: Mapping[str, SelectedEvent]
    ) -> None:
        """See `DemandTable.select`."""
        with self._items.atomic():
            kept = self._events(global_user_id, campaign_id) or {}
            self._write(global_user_id, campaign_id, {**kept, **events})

    @may_fail
    def replace(
        self, global_user_id: str, campaign_id: str, events: Mapping[str, SelectedEvent]
    ) -> None:
        """See `DemandTable.replace`."""
        self._write(global_user_id, campaign_id, events)

    @may_fail
    def read(self, global_user_id: str, campaign_id: str) -> Mapping[str, SelectedEvent] | None:
        """See `DemandTable.read`."""
        return self._events(global_user_id, campaign_id)

    def _events(self, global_user_id: str, campaign_id: str) -> dict[str, SelectedEvent] | None:
        item = self._items.get(_item_key(global_user_id, campaign_id))
        if item is None:
            return None
        events = item["selected_events"].items()
        return {market: SelectedEvent(**event) for market, event in events}

    def _write(
        self, global_user_id: str, campaign_id: str, events: Mapping[str, SelectedEvent]
    ) -> None:
        selected = {
            market: {"code": event.code, "date": event.date}
            for market, event in sorted(events.items())
        }
        item = {"verdict": True, "selected_events": selected}
        self._items.put(_item_key(global_user_id, campaign_id), item)


def _item_key(global_user_id: str, campaign_id: str) -> str:
    return key_of(f"fan:{global_user_id}", f"campaign:{campaign_id}")
