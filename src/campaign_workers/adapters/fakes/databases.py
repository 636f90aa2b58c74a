"""Fakes of the databases: admin statistics, the demand table and the delivery ledger."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from campaign_workers.adapters.fakes.faults import Faults, may_fail
from campaign_workers.adapters.fakes.tables import Tables, key_of
from campaign_workers.domain.errors import Conflict, NotFound
from campaign_workers.domain.records.types import iso_utc, parse_utc
from campaign_workers.domain.stats.admin import AdminStats
from campaign_workers.ports.repositories import StatsDocument
from campaign_workers.ports.tables import Channel, Delivery, DeliveryState, SelectedEvent


class FakeAdminStatsRepository:
    """Serves `AdminStatsRepository`."""

    def __init__(self, tables: Tables, *, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._documents = tables("adminStats")

    @may_fail
    def save(self, campaign_id: str, stats: AdminStats, *, now: datetime) -> None:
        """See `AdminStatsRepository.save`."""
        with self._documents.atomic():
            document = self._documents.get(campaign_id) or {}
            figures = {"stats": stats.to_json(), "updated": iso_utc(now)}
            self._documents.put(campaign_id, {**document, **figures})

    @may_fail
    def read(self, campaign_id: str) -> StatsDocument | None:
        """See `AdminStatsRepository.read`."""
        document = self._documents.get(campaign_id)
        if document is None:
            return None
        return StatsDocument(
            stats=AdminStats.parse(document["stats"]),
            updated=parse_utc(document["updated"]),
            last_posted=document.get("lastPosted"),
        )

    @may_fail
    def mark_posted(self, campaign_id: str, posted: Mapping[str, Any]) -> None:
        """See `AdminStatsRepository.mark_posted`."""
        with self._documents.atomic():
            document = self._documents.get(campaign_id)
            if document is None:
                raise NotFound("the campaign has no statistics")
            self._documents.put(campaign_id, {**document, "lastPosted": dict(posted)})


class FakeDemandTable:
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
            current = self._events(global_user_id, campaign_id) or {}
            self._write(global_user_id, campaign_id, {**current, **events})

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


class FakeDeliveryLedger:
    """Serves `DeliveryLedger`; claims never expire."""

    def __init__(self, tables: Tables, *, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._deliveries = tables("deliveries")

    @may_fail
    def claim(
        self,
        wave: str,
        message_ids: Sequence[str],
        *,
        now: datetime,
        channel: Channel | None = None,
    ) -> Mapping[str, Delivery]:
        """See `DeliveryLedger.claim`; the claims are atomic."""
        keys = {key_of(wave, message_id): message_id for message_id in message_ids}
        with self._deliveries.atomic():
            known = self._deliveries.get_many(keys)
            fresh = {"state": str(DeliveryState.CLAIMED), "claimed": iso_utc(now)}
            if channel is not None:
                fresh["channel"] = str(channel)
            self._deliveries.put_many((key, fresh) for key in keys if key not in known)
        return {
            message_id: _delivery(message_id, known.get(key, fresh))
            for key, message_id in keys.items()
        }

    @may_fail
    def read(self, wave: str, message_ids: Sequence[str]) -> Mapping[str, Delivery]:
        """See `DeliveryLedger.read`."""
        keys = {key_of(wave, message_id): message_id for message_id in message_ids}
        rows = self._deliveries.get_many(keys)
        return {keys[key]: _delivery(keys[key], row) for key, row in rows.items()}

    @may_fail
    def settle(self, wave: str, delivery: Delivery, *, now: datetime) -> None:
        """See `DeliveryLedger.settle`."""
        key = key_of(wave, delivery.message_id)
        with self._deliveries.atomic():
            row = self._deliveries.get(key)
            if row is None:
                raise Conflict("the delivery was not claimed; claim it first")
            if _delivery(delivery.message_id, row) == delivery:
                return
            if row["state"] != DeliveryState.CLAIMED:
                raise Conflict("the delivery is already settled with another outcome")
            outcome = {"state": str(delivery.state), "settled": iso_utc(now)}
            if delivery.channel is not None:
                outcome["channel"] = str(delivery.channel)
            self._deliveries.put(key, {"claimed": row["claimed"], **outcome})


def _delivery(message_id: str, row: Mapping[str, Any]) -> Delivery:
    channel = row.get("channel")
    return Delivery(
        message_id=message_id,
        state=DeliveryState(row["state"]),
        channel=None if channel is None else Channel(channel),
    )
