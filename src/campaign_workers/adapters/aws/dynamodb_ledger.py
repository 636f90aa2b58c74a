"""The `DeliveryLedger` port on DynamoDB: one item per registrant of a wave, kept for 400 days."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import attrs
from botocore.exceptions import ClientError

from campaign_workers.adapters.aws.concurrency import Backoff
from campaign_workers.adapters.aws.errors import error_code, translate_errors
from campaign_workers.domain.errors import Conflict, PermanentFailure
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.ports.tables import Channel, Delivery, DeliveryState

Item = Mapping[str, Any]

RETENTION: Final = timedelta(days=400)
"""How long an item is kept after its last write."""

_BATCH_SIZE: Final = 100
"""The most items that one transaction or one batch read accepts."""

_REFUSED: Final = "ConditionalCheckFailedException"
_TAKEN: Final = "ConditionalCheckFailed"
_BUSY: Final = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)
"""Reasons for cancelling a transaction that a retry can overcome."""


@attrs.frozen
class DynamoDeliveryLedger:
    """Serves `DeliveryLedger`; items are keyed by wave and message id.

    One transaction claims up to 100 ids, and one request reads up to 100.
    """

    client: Any = attrs.field(repr=False)
    table: str = attrs.field(kw_only=True)
    backoff: Backoff = attrs.field(factory=Backoff, kw_only=True)

    def claim(
        self,
        wave: str,
        message_ids: Sequence[str],
        *,
        now: datetime,
        channel: Channel | None = None,
    ) -> Mapping[str, Delivery]:
        """See `DeliveryLedger.claim`."""
        claim = {"state": DeliveryState.CLAIMED, "channel": channel, "claimed": iso_utc(now)}
        written = _texts(claim) | _expires(now)
        items: dict[str, Item] = {}
        with translate_errors("dynamodb", self.table):
            for batch in _batches(message_ids):
                claims = {message_id: {**_key(wave, message_id), **written} for message_id in batch}
                items |= claims | self._put(claims)
        return {message_id: _delivery(item) for message_id, item in items.items()}

    def read(self, wave: str, message_ids: Sequence[str]) -> Mapping[str, Delivery]:
        """See `DeliveryLedger.read`; the read is strongly consistent."""
        with translate_errors("dynamodb", self.table):
            deliveries = [_delivery(item) for item in self._items(wave, message_ids)]
        return {delivery.message_id: delivery for delivery in deliveries}

    def settle(self, wave: str, delivery: Delivery, *, now: datetime) -> None:
        """See `DeliveryLedger.settle`."""
        retries = self._retries()
        with translate_errors("dynamodb", self.table):
            while (refusal := self._update(wave, delivery, now)) is not None:
                if error_code(refusal) == _REFUSED:
                    _require_same(delivery, refusal.response)
                    break
                next(retries)

    def _put(self, claims: Mapping[str, Item]) -> dict[str, Item]:
        """Write the items whose ids are unclaimed; return the existing items of the others."""
        existing: dict[str, Item] = {}
        retries = self._retries()
        while left := [item for message_id, item in claims.items() if message_id not in existing]:
            reasons = self._put_all(left)
            if not reasons:
                break
            existing |= {
                reason["Item"]["sk"]["S"]: reason["Item"]
                for reason in reasons
                if reason["Code"] == _TAKEN
            }
            if _BUSY & {reason["Code"] for reason in reasons}:
                next(retries)
        return existing

    def _put_all(self, items: Iterable[Item]) -> Sequence[Mapping[str, Any]]:
        """Write all of the items or none; if none, return the reason of each."""
        put = {
            "TableName": self.table,
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            self.client.transact_write_items(
                TransactItems=[{"Put": {**put, "Item": item}} for item in items]
            )
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            return self._check_reasons(error.response.get("CancellationReasons", ()))
        return ()

    def _check_reasons(self, reasons: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        codes = {reason["Code"] for reason in reasons} - {"None"}
        if not codes or codes - {_TAKEN} - _BUSY:
            listed = ", ".join(sorted(codes))
            raise PermanentFailure(f"dynamodb: {self.table}: refuses a claim ({listed})")
        return reasons

    def _items(self, wave: str, message_ids: Iterable[str]) -> Iterator[Item]:
        for batch in _batches(message_ids):
            retries = self._retries()
            keys = [_key(wave, message_id) for message_id in batch]
            request = {self.table: {"Keys": keys, "ConsistentRead": True}}
            while request:
                response = self.client.batch_get_item(RequestItems=request)
                yield from response["Responses"].get(self.table, ())
                if request := response.get("UnprocessedKeys", {}):
                    next(retries)

    def _update(self, wave: str, delivery: Delivery, now: datetime) -> ClientError | None:
        """Settle a claimed delivery; return the error if it is not claimed or is being written."""
        channel = _texts({"channel": delivery.channel})
        settled = _texts({"state": delivery.state, "settled": iso_utc(now)})
        written = settled | _expires(now) | channel
        sets = ", ".join(f"#{name} = :{name}" for name in written)
        values = {f":{name}": value for name, value in written.items()}
        try:
            self.client.update_item(
                TableName=self.table,
                Key=_key(wave, delivery.message_id),
                UpdateExpression=f"SET {sets}" if channel else f"SET {sets} REMOVE #channel",
                ConditionExpression="#state = :claimed",
                ExpressionAttributeNames={f"#{name}": name for name in (*written, "channel")},
                ExpressionAttributeValues=values | {":claimed": {"S": DeliveryState.CLAIMED}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error_code(error) in {_REFUSED, "TransactionConflictException"}:
                return error
            raise
        return None

    def _retries(self) -> Iterator[None]:
        return self.backoff.retries(f"dynamodb: {self.table}: busy at every attempt")


def _require_same(delivery: Delivery, refusal: Mapping[str, Any]) -> None:
    """Accept a refused write if the ledger already has the same outcome.

    Raises:
        Conflict: the ledger has another outcome or no claim.
    """
    if (item := refusal.get("Item")) is None:
        raise Conflict("the delivery was never claimed")
    if _delivery(item) != delivery:
        raise Conflict("the delivery was already settled with another outcome")


def _batches(message_ids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield distinct ids in batches; DynamoDB rejects a request that repeats a key."""
    distinct = iter(dict.fromkeys(message_ids))
    while batch := tuple(islice(distinct, _BATCH_SIZE)):
        yield batch


def _key(wave: str, message_id: str) -> dict[str, Any]:
    return {"pk": {"S": wave}, "sk": {"S": message_id}}


def _texts(attributes: Mapping[str, str | None]) -> dict[str, Any]:
    return {name: {"S": str(text)} for name, text in attributes.items() if text is not None}


def _expires(now: datetime) -> dict[str, Any]:
    return {"expires": {"N": str(int((now + RETENTION).timestamp()))}}


def _delivery(item: Item) -> Delivery:
    return Delivery(
        message_id=item["sk"]["S"],
        state=DeliveryState(item["state"]["S"]),
        channel=Channel(item["channel"]["S"]) if "channel" in item else None,
    )
