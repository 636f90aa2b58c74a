"""The `RecordCodec` port on Avro; the same records always give the same bytes."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any, BinaryIO, Final

import attrs
import fastavro
import fastavro.write
from attrs.validators import in_

from campaign_workers.adapters.avro.containers import (
    MARKER_BYTES,
    read_blocks,
    read_header,
    translate_damage,
)
from campaign_workers.adapters.avro.schemas import current_schema
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.records.record import Record
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.ports.record_codec import AvroFileInfo

CODECS: Final = ("deflate", "null")
"""The compression codecs that all our readers support."""


BLOCK_BYTES: Final = 64_000
"""Uncompressed size of a block, which a reader holds in memory as a whole."""

# Object stores prefer chunks that are larger than a block.
_CHUNK_BYTES: Final = 1024 * 1024


@attrs.frozen(kw_only=True)
class AvroRecordCodec:
    """Serves `RecordCodec` for the lake; `codec` is the compression of what it writes."""

    codec: str = attrs.field(default="deflate", validator=in_(CODECS))

    def encode(self, record_type: str, records: Iterable[Record]) -> bytes:
        """See `RecordCodec.encode`."""
        batch, schema = tuple(records), dict(current_schema(record_type))
        if any(record.type != record_type for record in batch):
            raise BadInput("a record has another type", field=record_type)
        sink, marker = BytesIO(), _marker(record_type, (record.dedupe_key for record in batch))
        with _translate_schema_errors(record_type):
            fastavro.writer(
                sink,
                schema,
                map(_row, batch),
                codec=self.codec,
                sync_interval=BLOCK_BYTES,
                sync_marker=marker,
            )
        return sink.getvalue()

    def schema(self, record_type: str) -> Mapping[str, Any]:
        """See `RecordCodec.schema`."""
        return current_schema(record_type)

    def stream(
        self, record_type: str, rows: Iterable[Mapping[str, Any]], metadata: Mapping[str, str]
    ) -> Iterator[bytes]:
        """See `RecordCodec.stream`."""
        sink = BytesIO()
        writer: Any = fastavro.write.Writer(
            sink,
            dict(current_schema(record_type)),
            codec=self.codec,
            sync_interval=BLOCK_BYTES,
            sync_marker=_marker(record_type, sorted(metadata.values())),
            metadata=dict(metadata),
        )
        for row in rows:
            with _translate_schema_errors(record_type):
                writer.write(row)
            if sink.tell() >= _CHUNK_BYTES:
                yield _drain(sink)
        writer.flush()
        yield _drain(sink)

    def decode(self, source: BinaryIO) -> Iterator[dict[str, Any]]:
        """See `RecordCodec.decode`."""
        with translate_damage():
            for row in fastavro.reader(source):
                yield _to_wire(row)

    def read_metadata(self, source: BinaryIO) -> Mapping[str, str]:
        """See `RecordCodec.read_metadata`."""
        return read_header(source).metadata

    def describe(self, source: BinaryIO) -> AvroFileInfo:
        """See `RecordCodec.describe`."""
        header = read_header(source)
        return AvroFileInfo(
            record_type=header.record_type,
            version=header.version,
            records=sum(block.count for block in read_blocks(source, header.marker)),
            codec=header.codec,
            metadata=header.metadata,
        )


def _row(record: Record) -> dict[str, Any]:
    return {
        **record.fields,
        "type": record.type,
        "created": record.created,
        "dedupeKey": record.dedupe_key,
    }


def _to_wire(row: Any) -> dict[str, Any]:
    present = {name: value for name, value in row.items() if value is not None}
    return present | {"created": iso_utc(present["created"])}


@contextmanager
def _translate_schema_errors(record_type: str) -> Iterator[None]:
    """Replace the library's errors, which quote the personal values that do not fit."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise BadInput("a record does not fit the schema", field=record_type) from None


def _drain(sink: BytesIO) -> bytes:
    """Return what was written to `sink` and empty it."""
    data = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return data


def _marker(record_type: str, texts: Iterable[str]) -> bytes:
    """Derive the sync marker from `texts`, which differ between files; retries get the same one."""
    identity = "\n".join([record_type, *texts])
    return hashlib.sha256(identity.encode()).digest()[:MARKER_BYTES]
