"""What starts a worker."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from campaign_workers.domain.errors import BadInput


@attrs.frozen(kw_only=True)
class ObjectCreated:
    """An object was written; a worker reads that very version (`etag`) and no later one."""

    bucket: str
    key: str
    etag: str | None = None


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


@attrs.frozen(kw_only=True)
class QueueMessage:
    """One message of a queue."""

    message_id: str
    body: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Tick:
    """A schedule fired."""


def required_text(payload: Mapping[str, Any], field: str) -> str:
    """A text field of an invocation.

    Raises:
        BadInput: it is missing, empty or no text.
    """
    value = payload.get(field)
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise BadInput("missing, or not a text", field=field)


def taken_text(payload: Mapping[str, Any], field: str) -> str:
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
