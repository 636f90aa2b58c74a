"""What buckets, streams, queues and state machines take; every adapter refuses the same.

What starts a worker.
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
"""What XML cannot hold, and SQS therefore does not take."""

_EXECUTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")


def checked_record(partition_key: str, data: bytes) -> tuple[str, bytes]:
    """The record itself, if a stream takes it.

    Raises:
        RejectRecord: the key is empty or too long, or the record is over 1 MiB.
    """
    if not 0 < len(partition_key) <= MAX_PARTITION_KEY or not _bytes(partition_key):
        raise RejectRecord("empty, or over 256 characters", field="partition key")
    if len(data) + _bytes(partition_key) > MAX_RECORD_BYTES:
        raise RejectRecord("over 1 MiB", field="record")
    return partition_key, data


def checked_message(body: str) -> str:
    """The message itself, if a queue takes it.

    Raises:
        RejectRecord: it is empty, over 256 KiB, or has control characters.
    """
    if not 0 < _bytes(body) <= MAX_MESSAGE_BYTES:
        raise RejectRecord("empty, or over 256 KiB", field="message")
    if _NOT_IN_MESSAGES.search(body):
        raise RejectRecord("a control character", field="message")
    return body


def checked_execution_name(name: str) -> str:
    """The name itself, if a state machine takes it for an execution.

    Raises:
        BadInput: it is not 1 to 80 letters, digits, `-` and `_`.
    """
    if not _EXECUTION_NAME.fullmatch(name):
        raise BadInput("not a name for an execution", field="name")
    return name


def shard_number(partition_key: str, shards: int) -> int:
    """The shard of a key: its MD5 falls into one of `shards` equal ranges, as Kinesis has it."""
    digest = hashlib.md5(partition_key.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest) * shards >> 128


def _bytes(text: str) -> int:
    """Length in UTF-8; 0 for what has no UTF-8."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return 0


@attrs.frozen(kw_only=True)
class ObjectCreated:
    """An object was written; a worker reads that very version (`etag`) and no later one."""

    bucket: str
    key: str
    etag: str | None = None

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Read `{key, etag?}` of an object of the bucket `scoring`, whose uploads start workers.

        Raises:
            BadInput: the key is missing or not text.
        """
        return cls(bucket=SCORING, key=required_text(payload, "key"), etag=payload.get("etag"))


@attrs.frozen(kw_only=True)
class StreamRecord:
    """One record of a stream as a consumer sees it."""

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
        """Return a tick; its payload carries nothing."""
        return cls()


def required_text(payload: Mapping[str, Any], field: str) -> str:
    """A text field of an invocation.

    Raises:
        BadInput: it is missing, empty or no text.
    """
    value = payload.get(field)
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise BadInput("missing, or not a text", field=field)


def required_raw_text(payload: Mapping[str, Any], field: str) -> str:
    """A key or a file name of an invocation, taken as it is.

    Raises:
        BadInput: it is missing, empty or no text.
    """
    value = payload.get(field)
    if isinstance(value, str) and value:
        return value
    raise BadInput("missing, or not a text", field=field)


def optional_flag(payload: Mapping[str, Any], field: str, default: bool) -> bool:
    """A true/false field of an invocation.

    Raises:
        BadInput: it is there and neither true nor false.
    """
    value = payload.get(field)
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    raise BadInput("neither true nor false", field=field)


def optional_number(payload: Mapping[str, Any], field: str) -> float | None:
    """A number field of an invocation, None if it is not there.

    Raises:
        BadInput: it is there and no finite number.
    """
    value = payload.get(field)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
        return float(value)
    raise BadInput("not a number", field=field)
