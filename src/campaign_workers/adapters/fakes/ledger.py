"""The delivery ledger over keyed tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from campaign_workers.adapters.fakes.failures import Faults, may_fail
from campaign_workers.adapters.fakes.tables import Tables, key_of
from campaign_workers.domain.errors import Conflict
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.ports.tables import Channel, Delivery, DeliveryState


class TableLedger:
    """Serves `DeliveryLedger`; what was claimed is kept for ever."""

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
        """See `DeliveryLedger.claim`; all of them are claimed at once."""
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
                raise Conflict("the delivery was never claimed")
            if _delivery(delivery.message_id, row) == delivery:
                return
            if row["state"] != DeliveryState.CLAIMED:
                raise Conflict("the delivery is settled otherwise")
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
