"""The `DemandTable` port on DynamoDB: one item per fan and campaign, which ticketing reads."""

from collections.abc import Mapping
from typing import Any, Final

import attrs
from botocore.exceptions import ClientError

from campaign_workers.adapters.aws.errors import error_code, translate_errors
from campaign_workers.domain.errors import RetryLater
from campaign_workers.ports.tables import SelectedEvent

Events = Mapping[str, SelectedEvent]

_TRUE: Final = {"BOOL": True}
_MAX_ATTEMPTS: Final = 3
"""How often both writes are tried; both fail only if the item appears or vanishes in between."""


@attrs.frozen
class DynamoDemandTable:
    """Serves `DemandTable`; items are keyed by `fan:{globalUserId}` and `campaign:{campaignId}`."""

    client: Any = attrs.field(repr=False)
    table: str = attrs.field(kw_only=True)

    def select(self, global_user_id: str, campaign_id: str, events: Events) -> None:
        """See `DemandTable.select`.

        Each event is set inside the item's map, so that concurrent writers of other events do not
        overwrite each other. The map must exist for that: the first write creates it, unless
        another writer was faster.
        """
        key = _key(global_user_id, campaign_id)
        with translate_errors("dynamodb", self.table):
            for _ in range(_MAX_ATTEMPTS):
                if self._create(key, events) or self._add(key, events):
                    return
        raise RetryLater(f"dynamodb: {self.table}: another writer keeps changing the item; retry")

    def replace(self, global_user_id: str, campaign_id: str, events: Events) -> None:
        """See `DemandTable.replace`."""
        with translate_errors("dynamodb", self.table):
            self._update(
                _key(global_user_id, campaign_id),
                UpdateExpression="SET verdict = :true, selected_events = :events",
                ExpressionAttributeValues={":true": _TRUE, ":events": _map(events)},
            )

    def read(self, global_user_id: str, campaign_id: str) -> Events | None:
        """See `DemandTable.read`; the read is strongly consistent."""
        key = _key(global_user_id, campaign_id)
        with translate_errors("dynamodb", self.table):
            response = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        if (item := response.get("Item")) is None:
            return None
        events = item.get("selected_events", {"M": {}})["M"]
        return {market: _event(event["M"]) for market, event in events.items()}

    def _create(self, key: Mapping[str, Any], events: Events) -> bool:
        """Set the first events of the item; return False if it has events already."""
        return self._update(
            key,
            UpdateExpression="SET verdict = :true, selected_events = :events",
            ConditionExpression="attribute_not_exists(selected_events)",
            ExpressionAttributeValues={":true": _TRUE, ":events": _map(events)},
        )

    def _add(self, key: Mapping[str, Any], events: Events) -> bool:
        """Add events to those of the item; return False if it has none yet."""
        numbered = list(enumerate(events.items()))
        sets = ["verdict = :true", *(f"selected_events.#m{n} = :e{n}" for n, _ in numbered)]
        names = {f"#m{n}": market for n, (market, _) in numbered}
        values = {f":e{n}": _map_of(event) for n, (_, event) in numbered}
        return self._update(
            key,
            UpdateExpression=f"SET {', '.join(sets)}",
            ConditionExpression="attribute_exists(selected_events)",
            ExpressionAttributeValues={":true": _TRUE, **values},
            **({"ExpressionAttributeNames": names} if names else {}),
        )

    def _update(self, key: Mapping[str, Any], **update: Any) -> bool:
        """Update the item; return False if the condition failed."""
        try:
            self.client.update_item(TableName=self.table, Key=key, **update)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _key(global_user_id: str, campaign_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"fan:{global_user_id}"}, "sk": {"S": f"campaign:{campaign_id}"}}


def _map(events: Events) -> dict[str, Any]:
    return {"M": {market: _map_of(event) for market, event in events.items()}}


def _map_of(event: SelectedEvent) -> dict[str, Any]:
    return {"M": {"code": {"S": event.code}, "date": {"S": event.date}}}


def _event(attributes: Mapping[str, Any]) -> SelectedEvent:
    return SelectedEvent(code=attributes["code"]["S"], date=attributes["date"]["S"])
