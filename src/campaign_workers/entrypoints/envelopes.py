"""From the events that AWS sends to the events that workers take.

Each envelope is read through the data class that Powertools has for it, which is imported when the
first one comes.
"""

import json
import logging
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final
from urllib.parse import unquote_plus

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.events import (
    ObjectCreated,
    QueueMessage,
    StreamBatch,
    StreamRecord,
)
from campaign_workers.domain.running.triggers import (
    TRIGGERS,
    ObjectTrigger,
    QueueTrigger,
    StreamTrigger,
)
from campaign_workers.entrypoints.aggregates import unpacked

Event = ObjectCreated | StreamBatch | QueueMessage | Mapping[str, Any]

CREATED: Final = ("ObjectCreated:", "Object Created")
"""How S3 begins the name of an event of an object that was written; EventBridge has its own."""

_STREAM: Final = re.compile(r":stream/([^/]+)")
_log = logging.getLogger(__name__)


def events(worker: str, event: object) -> tuple[Event, ...]:
    """What `worker` is to be called with, one call each, for one event of AWS.

    A payload without `Records` is an invocation, a schedule or a step, and is passed on, out of
    the envelope of EventBridge if it has one. Events of a bucket that are not of a written object
    are passed over.

    Raises:
        BadInput: the envelope is not of the worker's trigger, or a part of it is missing or wrong.
    """
    if not isinstance(event, Mapping):
        raise BadInput("not a JSON object", field="event")
    trigger = next(kind for kind in TRIGGERS if kind.worker == worker)
    if "Records" in event:
        return tuple(_opened(trigger, event))
    if isinstance(trigger, StreamTrigger | QueueTrigger):
        raise BadInput(f"no event of the kind that starts {worker}", field="Records")
    if isinstance(trigger, ObjectTrigger) and event.get("Event") == "s3:TestEvent":
        return tuple(_passed_over(trigger, "s3:TestEvent"))
    return tuple(_unwrapped(trigger, event)) if "detail-type" in event else (event,)


def is_queue_batch(event: object) -> bool:
    """Whether these are messages of a queue, each of which can fail by itself."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not records or not isinstance(records[0], Mapping):
        return False
    return records[0].get("eventSource") == "aws:sqs"


def _opened(trigger: Any, event: Mapping[str, Any]) -> Iterator[Event]:
    """What the records of an event are for the worker of `trigger`."""
    opener = _OPENERS.get(type(trigger))
    if opener is None:
        raise BadInput(
            f"{trigger.worker} is invoked with a payload, not with Records", field="Records"
        )
    if not isinstance(event["Records"], list):
        raise BadInput("not a list", field="Records")
    if isinstance(trigger, ObjectTrigger) and is_queue_batch(event):
        opener = _objects_in_messages
    return opener(trigger, dict(event))


def _objects(trigger: ObjectTrigger, event: dict[str, Any]) -> Iterator[Event]:
    from aws_lambda_powertools.utilities.data_classes import S3Event

    def created(record: Any) -> Iterator[Event]:
        # Names of events are part of every notification; who writes one by hand may leave it out.
        name = record.get("eventName", CREATED[0])
        if not name.startswith(CREATED):
            return _passed_over(trigger, name)
        item = record.s3.get_object
        return iter((_written(trigger, unquote_plus(item.key), item.etag),))

    return _each(trigger, S3Event(event).records, created)


def _objects_in_messages(trigger: ObjectTrigger, event: dict[str, Any]) -> Iterator[Event]:
    """Notifications of a bucket that took the way over a queue."""
    from aws_lambda_powertools.utilities.data_classes import SQSEvent

    def created(record: Any) -> Iterable[Event]:
        return events(trigger.worker, record.decoded_nested_s3_event.raw_event)

    return _each(trigger, SQSEvent(event).records, created)


def _batches(trigger: StreamTrigger, event: dict[str, Any]) -> Iterator[Event]:
    from aws_lambda_powertools.utilities.data_classes import KinesisStreamEvent

    def read(record: Any) -> Iterator[tuple[tuple[str, str], StreamRecord]]:
        stream = _STREAM.search(record.event_source_arn)
        shard = record.event_id.partition(":")[0]
        if stream is None or not shard:
            raise KeyError("eventSourceARN" if stream is None else "eventID")
        return iter((((stream[1], shard), _record(record.kinesis)),))

    found = _each(trigger, KinesisStreamEvent(event).records, read)
    for (stream, shard), records in groupby(found, key=lambda pair: pair[0]):
        own = tuple(record for _, record in records)
        yield StreamBatch(stream=stream, shard=shard, records=unpacked(own))


def _record(payload: Any) -> StreamRecord:
    arrived = payload.approximate_arrival_timestamp
    return StreamRecord(
        sequence=_text(payload, "sequenceNumber"),
        partition_key=_text(payload, "partitionKey"),
        data=b64decode(payload.data, validate=True),
        arrived=datetime.fromtimestamp(arrived, tz=UTC),
    )


def _messages(trigger: QueueTrigger, event: dict[str, Any]) -> Iterator[Event]:
    from aws_lambda_powertools.utilities.data_classes import SQSEvent

    def read(record: Any) -> Iterator[Event]:
        message_id, body = _text(record, "messageId"), _text(record, "body")
        return iter((QueueMessage(message_id=message_id, body=body),))

    return _each(trigger, SQSEvent(event).records, read)


_OPENERS: Final[Mapping[type, Callable[[Any, dict[str, Any]], Iterator[Event]]]] = {
    ObjectTrigger: _objects,
    StreamTrigger: _batches,
    QueueTrigger: _messages,
}


def _unwrapped(trigger: Any, event: Mapping[str, Any]) -> Iterator[Event]:
    """What EventBridge tells of; a schedule that was given no payload of its own has none."""
    from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent

    told = EventBridgeEvent(dict(event))
    try:
        detail = told.get("detail") or {}
        # The scheduler writes its detail as a text.
        detail = json.loads(detail) if isinstance(detail, str) else detail
        if not isinstance(trigger, ObjectTrigger):
            return iter(({**detail},))
        if not told.detail_type.startswith(CREATED):
            return _passed_over(trigger, told.detail_type)
        # Here a key is not encoded, as it is in a notification.
        item = detail["object"]
        return iter((_written(trigger, _text(item, "key"), item.get("etag")),))
    except _WRONG as error:
        raise _wrong(trigger, "detail", error) from None


def _written(trigger: ObjectTrigger, key: str, etag: str | None) -> ObjectCreated:
    return ObjectCreated(bucket=trigger.bucket, key=key, etag=etag or None)


def _passed_over(trigger: ObjectTrigger, name: str) -> Iterator[Event]:
    _log.info("%s passes over an event of the bucket: %s", trigger.worker, name)
    return iter(())


def _each(
    trigger: Any, records: Iterator[Any], read: Callable[[Any], Iterable[Any]]
) -> Iterator[Any]:
    """What `read` makes of each record; a wrong one is named."""
    for number, record in enumerate(records):
        try:
            yield from read(record)
        except _WRONG as error:
            raise _wrong(trigger, f"Records[{number}]", error) from None


_WRONG: Final = (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError)
"""What reading a record raises that is not as AWS writes it."""


def _wrong(trigger: Any, place: str, error: Exception) -> BadInput:
    part = f".{error.args[0]}" if isinstance(error, KeyError) else ""
    return BadInput(f"no event of the kind that starts {trigger.worker}", field=f"{place}{part}")


def _text(record: Any, field: str) -> str:
    value = record[field]
    if not isinstance(value, str):
        raise KeyError(field)
    return value
