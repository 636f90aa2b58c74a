"""Parse the events that AWS sends into the events that workers take.

Each envelope is read through the data class that Powertools has for it, which is imported when the
first such event arrives.
"""

import hashlib
import json
import logging
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain, groupby
from typing import Any, Final
from urllib.parse import unquote_plus

import attrs

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

Event = ObjectCreated | StreamBatch | QueueMessage | Mapping[str, Any]

CREATED: Final = ("ObjectCreated:", "Object Created")
"""How the names of S3 events begin when an object was written: from S3, and from EventBridge."""
MAGIC: Final = b"\xf3\x89\x9a\xc2"
"""First bytes of an aggregated record of the Kinesis Producer Library; no JSON begins so."""
DIGEST_BYTES: Final = 16

_STREAM: Final = re.compile(r":stream/([^/]+)")
_EXPECTED: Final[Mapping[type, str]] = {
    ObjectTrigger: "an S3 event with 'Records'",
    StreamTrigger: "a Kinesis event with 'Records'",
    QueueTrigger: "an SQS event with 'Records'",
}
_MALFORMED: Final = (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError)
"""What reading a record raises if it is not as AWS writes it."""
_log = logging.getLogger(__name__)


def events(worker: str, event: object) -> tuple[Event, ...]:
    """Return what to call `worker` with, one call each, for one event of AWS.

    A payload without `Records` is an invocation, a schedule or a step; it is returned as it is,
    or taken out of the envelope of EventBridge. Bucket events other than written objects are
    logged and left out.

    Raises:
        BadInput: the envelope is not of the worker's trigger, or a part of it is missing or wrong.
    """
    if not isinstance(event, Mapping):
        raise BadInput("expected a JSON object", field="event")
    trigger = next(kind for kind in TRIGGERS if kind.worker == worker)
    if "Records" in event:
        return tuple(_parse_records(trigger, event))
    if isinstance(trigger, StreamTrigger | QueueTrigger):
        raise BadInput(f"expected {_EXPECTED[type(trigger)]}", field="event")
    if isinstance(trigger, ObjectTrigger) and event.get("Event") == "s3:TestEvent":
        return tuple(_skip(trigger, "s3:TestEvent"))
    return tuple(_unwrap(trigger, event)) if "detail-type" in event else (event,)


def is_queue_batch(event: object) -> bool:
    """Return whether these are messages of a queue, each of which can fail by itself."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not records or not isinstance(records[0], Mapping):
        return False
    return records[0].get("eventSource") == "aws:sqs"


def _parse_records(trigger: Any, event: Mapping[str, Any]) -> Iterator[Event]:
    """Return what the records of an event are for the worker of `trigger`."""
    parse = _PARSERS.get(type(trigger))
    if parse is None:
        raise BadInput(f"{trigger.worker} takes a payload, not records", field="Records")
    if not isinstance(event["Records"], list):
        raise BadInput("expected a list", field="Records")
    if isinstance(trigger, ObjectTrigger) and is_queue_batch(event):
        parse = _objects_in_messages
    return parse(trigger, dict(event))


def _objects(trigger: ObjectTrigger, event: dict[str, Any]) -> Iterator[Event]:
    from aws_lambda_powertools.utilities.data_classes import S3Event

    def parse(record: Any) -> Iterator[Event]:
        # Every notification has an event name, but an event written by hand may lack it.
        name = record.get("eventName", CREATED[0])
        if not name.startswith(CREATED):
            return _skip(trigger, name)
        item = record.s3.get_object
        return iter((_object_created(trigger, unquote_plus(item.key), item.etag),))

    return _parse_each(trigger, S3Event(event).records, parse)


def _objects_in_messages(trigger: ObjectTrigger, event: dict[str, Any]) -> Iterator[Event]:
    """Parse notifications of a bucket that came over a queue."""
    from aws_lambda_powertools.utilities.data_classes import SQSEvent

    def parse(record: Any) -> Iterable[Event]:
        return events(trigger.worker, record.decoded_nested_s3_event.raw_event)

    return _parse_each(trigger, SQSEvent(event).records, parse)


def _batches(trigger: StreamTrigger, event: dict[str, Any]) -> Iterator[Event]:
    from aws_lambda_powertools.utilities.data_classes import KinesisStreamEvent

    def parse(record: Any) -> Iterator[tuple[tuple[str, str], StreamRecord]]:
        stream = _STREAM.search(record.event_source_arn)
        shard = record.event_id.partition(":")[0]
        if stream is None or not shard:
            raise KeyError("eventSourceARN" if stream is None else "eventID")
        return iter((((stream[1], shard), _stream_record(record.kinesis)),))

    pairs = _parse_each(trigger, KinesisStreamEvent(event).records, parse)
    for (stream, shard), group in groupby(pairs, key=lambda pair: pair[0]):
        records = tuple(record for _, record in group)
        yield StreamBatch(stream=stream, shard=shard, records=unpack_aggregates(records))


def _stream_record(payload: Any) -> StreamRecord:
    arrived = payload.approximate_arrival_timestamp
    return StreamRecord(
        sequence=_required_text(payload, "sequenceNumber"),
        partition_key=_required_text(payload, "partitionKey"),
        data=b64decode(payload.data, validate=True),
        arrived=datetime.fromtimestamp(arrived, tz=UTC),
    )


def _messages(trigger: QueueTrigger, event: dict[str, Any]) -> Iterator[Event]:
    from aws_lambda_powertools.utilities.data_classes import SQSEvent

    def parse(record: Any) -> Iterator[Event]:
        message_id, body = _required_text(record, "messageId"), _required_text(record, "body")
        return iter((QueueMessage(message_id=message_id, body=body),))

    return _parse_each(trigger, SQSEvent(event).records, parse)


_PARSERS: Final[Mapping[type, Callable[[Any, dict[str, Any]], Iterator[Event]]]] = {
    ObjectTrigger: _objects,
    StreamTrigger: _batches,
    QueueTrigger: _messages,
}


def _unwrap(trigger: Any, event: Mapping[str, Any]) -> Iterator[Event]:
    """Return the detail of an EventBridge event; a schedule without a payload has an empty one."""
    from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent

    envelope = EventBridgeEvent(dict(event))
    try:
        detail = envelope.get("detail") or {}
        # The scheduler of EventBridge encodes the detail as JSON text.
        detail = json.loads(detail) if isinstance(detail, str) else detail
        if not isinstance(trigger, ObjectTrigger):
            return iter(({**detail},))
        if not envelope.detail_type.startswith(CREATED):
            return _skip(trigger, envelope.detail_type)
        # EventBridge does not URL-encode the key, as a notification does.
        item = detail["object"]
        return iter((_object_created(trigger, _required_text(item, "key"), item.get("etag")),))
    except _MALFORMED as error:
        raise _malformed_event(trigger, "detail", error) from None


def _object_created(trigger: ObjectTrigger, key: str, etag: str | None) -> ObjectCreated:
    return ObjectCreated(bucket=trigger.bucket, key=key, etag=etag or None)


def _skip(trigger: ObjectTrigger, name: str) -> Iterator[Event]:
    _log.info("%s skips an event of the bucket: %s", trigger.worker, name)
    return iter(())


def _parse_each(
    trigger: Any, records: Iterator[Any], parse: Callable[[Any], Iterable[Any]]
) -> Iterator[Any]:
    """Yield what `parse` returns for each record; an error names the record's position."""
    for number, record in enumerate(records):
        try:
            yield from parse(record)
        except _MALFORMED as error:
            raise _malformed_event(trigger, f"Records[{number}]", error) from None


def _malformed_event(trigger: Any, place: str, error: Exception) -> BadInput:
    part = f".{error.args[0]}" if isinstance(error, KeyError) else ""
    expected = _EXPECTED.get(type(trigger), "an EventBridge event")
    return BadInput(f"malformed; expected {expected}", field=f"{place}{part}")


def _required_text(record: Any, field: str) -> str:
    value = record[field]
    if not isinstance(value, str):
        raise KeyError(field)
    return value


def unpack_aggregates(records: tuple[StreamRecord, ...]) -> tuple[StreamRecord, ...]:
    """Return every record by itself: aggregated ones of the Kinesis Producer Library are unpacked.

    The sequence number of a sub-record is `{parent}.{index}`, so that it leads back to its parent
    and is the same at each delivery. A record that looks aggregated but cannot be unpacked stays
    as it is; its worker rejects it.

    Raises:
        BadInput: there are aggregated records, and the library for them is not installed.
    """
    return tuple(chain.from_iterable(map(_sub_records, records)))


def _sub_records(record: StreamRecord) -> Iterator[StreamRecord]:
    if not record.data.startswith(MAGIC):
        return iter((record,))
    body, digest = record.data[len(MAGIC) : -DIGEST_BYTES], record.data[-DIGEST_BYTES:]
    if hashlib.md5(body, usedforsecurity=False).digest() != digest:
        return iter((record,))
    aggregate, decode_error = _aggregate_message()
    try:
        aggregate.ParseFromString(body)
        keys = aggregate.partition_key_table
        parts = [(keys[part.partition_key_index], part.data) for part in aggregate.records]
    except (IndexError, decode_error):
        parts = []
    if not parts:
        return iter((record,))
    return (
        attrs.evolve(record, sequence=f"{record.sequence}.{index}", partition_key=key, data=data)
        for index, (key, data) in enumerate(parts)
    )


def _aggregate_message() -> tuple[Any, type[Exception]]:
    """Return an empty protobuf message of the aggregation format, and its decoding error.

    The library's own loop is not used: if a part cannot be read, it prints the data and continues
    without the rest.
    """
    try:
        from aws_kinesis_agg.deaggregator import google, messages_pb2
    except ModuleNotFoundError:
        raise BadInput(
            "aggregated records need aws-kinesis-agg",
            field="kinesis.data",
            remedy="install campaign-workers[aws]",
        ) from None
    return messages_pb2.AggregatedRecord(), google.protobuf.message.DecodeError
