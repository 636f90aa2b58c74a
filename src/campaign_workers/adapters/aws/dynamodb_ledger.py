"""The delivery ledger in DynamoDB: one item a registrant of a wave, for more than a year."""

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

KEPT: Final = timedelta(days=400)
"""How long an entry is kept after it was last written."""

_AT_A_TIME: Final = 100
"""Items that one transaction takes at most, and one read."""

_REFUSED: Final = "ConditionalCheckFailedException"
_TAKEN: Final = "ConditionalCheckFailed"
_BUSY: Final = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)
"""Why a transaction is cancelled that another time may go through."""


@attrs.frozen
class DynamoDeliveryLedger:
    """Serves `DeliveryLedger`; items are keyed by wave and message id.

    A transaction claims a hundred ids, and a request reads as many.
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
        found: dict[str, Item] = {}
        with translate_errors("dynamodb", self.table):
            for some in _by_the_hundred(message_ids):
                fresh = {message_id: {**_key(wave, message_id), **written} for message_id in some}
                found |= fresh | self._put(fresh)
        return {message_id: _delivery(item) for message_id, item in found.items()}

    def read(self, wave: str, message_ids: Sequence[str]) -> Mapping[str, Delivery]:
        """See `DeliveryLedger.read`; it sees whatever was written before."""
        with translate_errors("dynamodb", self.table):
            found = [_delivery(item) for item in self._items(wave, message_ids)]
        return {delivery.message_id: delivery for delivery in found}

    def settle(self, wave: str, delivery: Delivery, *, now: datetime) -> None:
        """See `DeliveryLedger.settle`."""
        busy = self._busy()
        with translate_errors("dynamodb", self.table):
            while (refusal := self._update(wave, delivery, now)) is not None:
                if error_code(refusal) == _REFUSED:
                    _accept(delivery, refusal.response)
                    break
                next(busy)

    def _put(self, fresh: Mapping[str, Item]) -> dict[str, Item]:
        """Write those items whose ids nobody has claimed yet; the items of the others."""
        found: dict[str, Item] = {}
        busy = self._busy()
        while left := [item for message_id, item in fresh.items() if message_id not in found]:
            reasons = self._put_all(left)
            if not reasons:
                break
            found |= {
                reason["Item"]["sk"]["S"]: reason["Item"]
                for reason in reasons
                if reason["Code"] == _TAKEN
            }
            if _BUSY & {reason["Code"] for reason in reasons}:
                next(busy)
        return found

    def _put_all(self, items: Iterable[Item]) -> Sequence[Mapping[str, Any]]:
        """Write all of the items, or none; then why not, of each."""
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
            return self._understood(error.response.get("CancellationReasons", ()))
        return ()

    def _understood(self, reasons: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        codes = {reason["Code"] for reason in reasons} - {"None"}
        if not codes or codes - {_TAKEN} - _BUSY:
            told = ", ".join(sorted(codes))
            raise PermanentFailure(f"dynamodb: {self.table}: refuses a claim ({told})")
        return reasons

    def _items(self, wave: str, message_ids: Iterable[str]) -> Iterator[Item]:
        for some in _by_the_hundred(message_ids):
            busy = self._busy()
            keys = [_key(wave, message_id) for message_id in some]
            asked = {self.table: {"Keys": keys, "ConsistentRead": True}}
            while asked:
                answer = self.client.batch_get_item(RequestItems=asked)
                yield from answer["Responses"].get(self.table, ())
                if asked := answer.get("UnprocessedKeys", {}):
                    next(busy)

    def _update(self, wave: str, delivery: Delivery, now: datetime) -> ClientError | None:
        """Settle a delivery that is claimed; why not, if it is not, or if others are at it."""
        went = _texts({"channel": delivery.channel})
        written = _texts({"state": delivery.state, "settled": iso_utc(now)}) | _expires(now) | went
        sets = ", ".join(f"#{name} = :{name}" for name in written)
        values = {f":{name}": value for name, value in written.items()}
        try:
            self.client.update_item(
                TableName=self.table,
                Key=_key(wave, delivery.message_id),
                UpdateExpression=f"SET {sets}" if went else f"SET {sets} REMOVE #channel",
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

    def _busy(self) -> Iterator[None]:
        return self.backoff.waits(f"dynamodb: {self.table}: busy at every attempt")


def _accept(delivery: Delivery, refusal: Mapping[str, Any]) -> None:
    """Leave it, if the ledger says so already.

    Raises:
        Conflict: it says something else, or nothing.
    """
    if (item := refusal.get("Item")) is None:
        raise Conflict("the delivery was never claimed")
    if _delivery(item) != delivery:
        raise Conflict("the delivery is settled otherwise")


def _by_the_hundred(message_ids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Each id once: transactions and reads refuse one that comes twice."""
    distinct = iter(dict.fromkeys(message_ids))
    while some := tuple(islice(distinct, _AT_A_TIME)):
        yield some


def _key(wave: str, message_id: str) -> dict[str, Any]:
    return {"pk": {"S": wave}, "sk": {"S": message_id}}


def _texts(attributes: Mapping[str, str | None]) -> dict[str, Any]:
    return {name: {"S": str(text)} for name, text in attributes.items() if text is not None}


def _expires(now: datetime) -> dict[str, Any]:
    return {"expires": {"N": str(int((now + KEPT).timestamp()))}}


def _delivery(item: Item) -> Delivery:
    return Delivery(
        message_id=item["sk"]["S"],
        state=DeliveryState(item["state"]["S"]),
        channel=Channel(item["channel"]["S"]) if "channel" in item else None,
    )
