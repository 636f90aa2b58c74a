"""Avro containers, written so that the same records give the same bytes."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, BinaryIO, Final

import attrs
import fastavro
from attrs.validators import in_

from campaign_workers.adapters.avro.containers import (
    MARKER_BYTES,
    read_blocks,
    read_header,
    readable,
)
from campaign_workers.adapters.avro.schemas import in_force
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.records import Record, iso_utc
from campaign_workers.ports.record_codec import Container

CODECS: Final = ("deflate", "null")
"""The compressions that every reader of ours has."""


BLOCK_BYTES: Final = 64_000
"""Uncompressed bytes of a block: what a reader holds in memory at least."""


@attrs.frozen(kw_only=True)
class AvroRecordCodec:
    """The record codec of the lake; `codec` names the compression of what it writes."""

    codec: str = attrs.field(default="deflate", validator=in_(CODECS))

    def encode(self, record_type: str, records: Iterable[Record]) -> bytes:
        """See `RecordCodec.encode`."""
        batch, schema = tuple(records), dict(in_force(record_type))
        if any(record.type != record_type for record in batch):
            raise BadInput("a record of another type", field=record_type)
        sink, marker = BytesIO(), _marker(record_type, batch)
        try:
            fastavro.writer(
                sink,
                schema,
                map(_row, batch),
                codec=self.codec,
                sync_interval=BLOCK_BYTES,
                sync_marker=marker,
            )
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            # The library quotes the value that does not fit, and values are personal.
            raise BadInput("a record does not fit the schema", field=record_type) from None
        return sink.getvalue()

    def decode(self, source: BinaryIO) -> Iterator[dict[str, Any]]:
        """See `RecordCodec.decode`."""
        with readable():
            for row in fastavro.reader(source):
                yield _wire(row)

    def notes(self, source: BinaryIO) -> Mapping[str, str]:
        """See `RecordCodec.notes`."""
        return read_header(source).notes

    def describe(self, source: BinaryIO) -> Container:
        """See `RecordCodec.describe`."""
        header = read_header(source)
        return Container(
            record_type=header.record_type,
            version=header.version,
            records=sum(block.count for block in read_blocks(source, header.marker)),
            codec=header.codec,
            notes=header.notes,
        )


def _row(record: Record) -> dict[str, Any]:
    return {
        **record.fields,
        "type": record.type,
        "created": record.created,
        "dedupeKey": record.dedupe_key,
    }


def _wire(row: Any) -> dict[str, Any]:
    present = {name: value for name, value in row.items() if value is not None}
    return present | {"created": iso_utc(present["created"])}


def _marker(record_type: str, batch: Sequence[Record]) -> bytes:
    """Chance would make every retry other bytes; what tells batches apart is their records."""
    keys = "\n".join([record_type, *(record.dedupe_key for record in batch)])
    return hashlib.sha256(keys.encode()).digest()[:MARKER_BYTES]
