"""Events that start a worker, and the limits of streams, queues and state machines.

All adapters share these limits, so an adapter in memory refuses what AWS refuses.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Self

import attrs

from campaign_workers.domain.errors import BadInput, RejectRecord
from campaign_workers.domain.storage.layout import SCORING

MAX_PARTITION_KEY: Final = 256
MAX_RECORD_BYTES: Final = 1024 * 1024
MAX_MESSAGE_BYTES: Final = 256 * 1024

_NOT_IN_MESSAGES: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML, and therefore SQS, does not allow."""

_EXECUTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")


def validate_record(partition_key: str, data: bytes) -> tuple[str, bytes]:
    """Return the record if it is within the limits of a stream.

    Raises:
        RejectRecord: the key is empty or too long, or the record is over 1 MiB.
    """
    if not 0 < len(partition_key) <= MAX_PARTITION_KEY or not _bytes(partition_key):
        raise RejectRecord("empty, or over 256 characters", field="partition key")
    if len(data) + _bytes(partition_key) > MAX_RECORD_BYTES:
        raise RejectRecord("over 1 MiB", field="record")
    return partition_key, data


def validate_message(body: str) -> str:
    """Return the message if it is within the limits of a queue.

    Raises:
        RejectRecord: the message is empty, over 256 KiB, or has control characters.
    """
    if not 0 < _bytes(body) <= MAX_MESSAGE_BYTES:
        raise RejectRecord("empty, or over 256 KiB", field="message")
    if _NOT_IN_MESSAGES.search(body):
        raise RejectRecord("a control character", field="message")
    return body


def validate_execution_name(name: str) -> str:
    """Return the name if it is valid for an execution of a state machine.

    Raises:
        BadInput: the name is not 1 to 80 letters, digits, `-` and `_`.
    """
    if not _EXECUTION_NAME.fullmatch(name):
        raise BadInput(
            "not a valid name of an execution",
            field="name",
            remedy="use 1 to 80 letters, digits, '-' and '_'",
        )
    return name


def shard_number(partition_key: str, shards: int) -> int:
    """Return the shard of a key as Kinesis does: by MD5, in one of `shards` equal ranges."""
    digest = hashlib.md5(partition_key.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest) * shards >> 128


def _bytes(text: str) -> int:
    """Return the length in UTF-8, or 0 for text that UTF-8 cannot encode."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return 0


@attrs.frozen(kw_only=True)
class ObjectCreated:
    """An object was written; the worker reads exactly this version (`etag`)."""

    bucket: str
    key: str
    etag: str | None = None

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Parse `{key, etag?}` of an object in the bucket `scoring`, whose uploads start workers.

        Raises:
            BadInput: the key is missing or not text.
        """
        return cls(bucket=SCORING, key=required_text(payload, "key"), etag=payload.get("etag"))


@attrs.frozen(kw_only=True)
class StreamRecord:
    """One record of a stream, as a consumer receives it."""

    sequence: str
    partition_key: str = attrs.field(repr=False)
    data: bytes = attrs.field(repr=False)
    arrived: datetime


@attrs.frozen(kw_only=True)
class StreamBatch:
    """Consecutive records of one shard, in order."""

    stream: str
    shard: str
    records: tuple[StreamRecord, ...]

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Refuse a payload: records come from a stream, with their shard and sequence numbers.

        Raises:
            BadInput: always.
        """
        raise BadInput("expected a batch of records, got a payload", field="event")


@attrs.frozen(kw_only=True)
class QueueMessage:
    """One message of a queue."""

    message_id: str
    body: str = attrs.field(repr=False)

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Refuse a payload: a message comes from a queue, with its id.

        Raises:
            BadInput: always.
        """
        raise BadInput("expected a message of a queue, got a payload", field="event")


@attrs.frozen(kw_only=True)
class ReceivedMessage:
    """A message in flight: a receiver has it, and it is delivered again unless deleted.

    `receive_count` is 1 at the first receipt.
    """

    message_id: str
    body: str = attrs.field(repr=False)
    receive_count: int


@attrs.frozen(kw_only=True)
class Tick:
    """A schedule fired."""

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Return a tick; the payload is ignored."""
        return cls()


def required_text(payload: Mapping[str, Any], field: str) -> str:
    """Return a text field of an invocation, trimmed.

    Raises:
        BadInput: the field is missing, blank or not a string.
    """
    value = payload.get(field)
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise BadInput("missing, or not a string", field=field)


def required_raw_text(payload: Mapping[str, Any], field: str) -> str:
    """Return a text field of an invocation unchanged, such as a key or a file name.

    Raises:
        BadInput: the field is missing, empty or not a string.
    """
    value = payload.get(field)
    if isinstance(value, str) and value:
        return value
    raise BadInput("missing, or not a string", field=field)


def optional_flag(payload: Mapping[str, Any], field: str, default: bool) -> bool:
    """Return a boolean field of an invocation, or `default` if it is missing.

    Raises:
        BadInput: the field is neither true nor false.
    """
    value = payload.get(field)
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    raise BadInput("expected true or false", field=field)


def optional_number(payload: Mapping[str, Any], field: str) -> float | None:
    """Return a number field of an invocation, or None if it is missing.

    Raises:
        BadInput: the field is not a finite number.
    """
    value = payload.get(field)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
        return float(value)
    raise BadInput("expected a number", field=field)
