"""Records that a producer packed into one record of the stream (Kinesis Producer Library)."""

import hashlib
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import attrs

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.events import StreamRecord

MAGIC: Final = b"\xf3\x89\x9a\xc2"
"""What a packed record begins with; no JSON does."""
DIGEST_BYTES: Final = 16


def unpacked(records: tuple[StreamRecord, ...]) -> tuple[StreamRecord, ...]:
    """Every record by itself, in order.

    One that was packed is called by the number of the record that it lay in, a point, and its
    place in there, so that it leads back to that record and names stay the same at each delivery.
    What looks packed and cannot be unpacked stays as it is, for its worker to reject.

    Raises:
        BadInput: there are packed records, and the library for them is not installed.
    """
    return tuple(chain.from_iterable(map(_parts, records)))


def _parts(record: StreamRecord) -> Iterator[StreamRecord]:
    if not record.data.startswith(MAGIC):
        return iter((record,))
    body, digest = record.data[len(MAGIC) : -DIGEST_BYTES], record.data[-DIGEST_BYTES:]
    if hashlib.md5(body, usedforsecurity=False).digest() != digest:
        return iter((record,))
    return _read(record, body)


def _read(record: StreamRecord, body: bytes) -> Iterator[StreamRecord]:
    packed, unreadable = _library()
    try:
        packed.ParseFromString(body)
        keys = packed.partition_key_table
        parts = [(keys[part.partition_key_index], part.data) for part in packed.records]
    except (IndexError, unreadable):
        parts = []
    if not parts:
        return iter((record,))
    return (
        attrs.evolve(record, sequence=f"{record.sequence}.{place}", partition_key=key, data=data)
        for place, (key, data) in enumerate(parts)
    )


def _library() -> tuple[Any, type[Exception]]:
    """An empty message of the library's format, and what it raises when it cannot read one.

    Its own loop is not used: when a part cannot be read, it prints what it read, and goes on
    without the rest.
    """
    try:
        from aws_kinesis_agg.deaggregator import google, messages_pb2
    except ModuleNotFoundError:
        raise BadInput(
            "packed records need a library that is not installed",
            field="kinesis.data",
            remedy="install campaign-workers[aws]",
        ) from None
    return messages_pb2.AggregatedRecord(), google.protobuf.message.DecodeError
