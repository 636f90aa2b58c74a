"""From the events that AWS sends to the events that workers take."""

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.events import ObjectCreated, QueueMessage, StreamBatch, StreamRecord
from campaign_workers.domain.triggers import TRIGGERS, ObjectTrigger, QueueTrigger, StreamTrigger

Event = ObjectCreated | StreamBatch | QueueMessage | Mapping[str, Any]


def events(worker: str, event: Mapping[str, Any]) -> tuple[Event, ...]:
    """What `worker` is to be called with, one call each, for one event of AWS.

    A payload without `Records` is an invocation, a schedule or a step, and is passed on; workers
    of streams and queues have none.

    Raises:
        BadInput: the envelope is not of the worker's trigger, or a part of it is missing.
    """
    trigger = next(kind for kind in TRIGGERS if kind.worker == worker)
    if "Records" not in event and not isinstance(trigger, StreamTrigger | QueueTrigger):
        return (event,)
    opener = _OPENERS.get(type(trigger))
    if opener is None:
        raise BadInput(f"{worker} is invoked with a payload, not with Records", field="Records")
    try:
        return tuple(opener(trigger, event["Records"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"no event of the kind that starts {worker}", field=_named(error)) from None


def _objects(trigger: ObjectTrigger, records: list[Any]) -> Iterator[ObjectCreated]:
    for record in records:
        item = record["s3"]["object"]
        yield ObjectCreated(
            bucket=trigger.bucket,
            key=unquote_plus(item["key"]),
            etag=item.get("eTag"),
        )


def _batches(_: StreamTrigger, records: list[Any]) -> Iterator[StreamBatch]:
    if not records:
        return
    stream = str(records[0]["eventSourceARN"]).rpartition("/")[2]
    shard = str(records[0]["eventID"]).partition(":")[0]
    yield StreamBatch(
        stream=stream,
        shard=shard,
        records=tuple(
            StreamRecord(
                sequence=record["kinesis"]["sequenceNumber"],
                partition_key=record["kinesis"]["partitionKey"],
                data=b64decode(record["kinesis"]["data"], validate=True),
                arrived=datetime.fromtimestamp(
                    record["kinesis"]["approximateArrivalTimestamp"], tz=UTC
                ),
            )
            for record in records
        ),
    )


def _messages(_: QueueTrigger, records: list[Any]) -> Iterator[QueueMessage]:
    for record in records:
        yield QueueMessage(message_id=record["messageId"], body=record["body"])


_OPENERS: Final[Mapping[type, Callable[[Any, list[Any]], Iterator[Event]]]] = {
    ObjectTrigger: _objects,
    StreamTrigger: _batches,
    QueueTrigger: _messages,
}


def _named(error: Exception) -> str:
    return str(error.args[0]) if isinstance(error, KeyError) else "Records"
