"""The `QueryEngine` port without a database: merges Avro files block by block.

Blocks with the current schema and compression are copied without decoding them.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from io import BytesIO
from typing import BinaryIO, Final

import attrs
import fastavro
from attrs.validators import in_

from campaign_workers.adapters.avro.codec import CODECS
from campaign_workers.adapters.avro.containers import (
    MARKER_BYTES,
    Block,
    Header,
    read_blocks,
    read_header,
    translate_damage,
)
from campaign_workers.adapters.avro.schemas import current_schema
from campaign_workers.domain.errors import BadInput
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.query_engine import Merge

# Object stores prefer chunks that are larger than a block.
_CHUNK_BYTES: Final = 1024 * 1024


@attrs.frozen(kw_only=True)
class BlockMerge:
    """Serves `QueryEngine` for the files of `lake`, in memory independent of their size."""

    lake: ObjectStore
    codec: str = attrs.field(default="deflate", validator=in_(CODECS))

    @contextmanager
    def merge(
        self, record_type: str, sources: Sequence[str], metadata: Mapping[str, str]
    ) -> Iterator[Merge]:
        """See `QueryEngine.merge`."""
        schema = current_schema(record_type)
        identity = "\n".join([record_type, *sources, *sorted(metadata.values())])
        header = Header(
            schema=schema,
            codec=self.codec,
            marker=hashlib.sha256(identity.encode()).digest()[:MARKER_BYTES],
            metadata=metadata,
        )
        yield _BlockMerge(lake=self.lake, header=header, sources=tuple(sources))


@attrs.frozen(kw_only=True)
class _BlockMerge:
    lake: ObjectStore
    header: Header
    sources: tuple[str, ...]
    counts_by_source: dict[str, int] = attrs.field(factory=dict)

    def chunks(self) -> Iterator[bytes]:
        buffer, size = [self.header.to_bytes()], 0
        for block in self._blocks():
            buffer.append(block.to_bytes(self.header.marker))
            size += len(buffer[-1])
            if size >= _CHUNK_BYTES:
                yield b"".join(buffer)
                buffer, size = [], 0
        yield b"".join(buffer)

    def counts(self) -> Mapping[str, int]:
        return dict(self.counts_by_source)

    def _blocks(self) -> Iterator[Block]:
        for key in self.sources:
            self.counts_by_source[key] = 0
            with closing(self.lake.open(key)) as source:
                for block in self._blocks_of(key, source):
                    self.counts_by_source[key] += block.count
                    yield block

    def _blocks_of(self, key: str, source: BinaryIO) -> Iterator[Block]:
        try:
            header = read_header(source)
            self._require_known_schema(header)
            if (header.version, header.codec) == (self.header.version, self.header.codec):
                yield from read_blocks(source, header.marker)
            else:
                yield from self._recode(header, source)
        except BadInput as why:
            raise why.within(key) from None

    def _require_known_schema(self, header: Header) -> None:
        if header.record_type != self.header.record_type:
            raise BadInput("records of another type")
        if header.version is None:
            raise BadInput(
                "its schema is not in the history", remedy="add the schema, or remove the file"
            )

    def _recode(self, header: Header, source: BinaryIO) -> Iterator[Block]:
        """Decode blocks of an older schema or another compression and encode them again."""
        schema, marker = dict(self.header.schema), self.header.marker
        for block in read_blocks(source, header.marker):
            container = BytesIO(header.to_bytes() + block.to_bytes(header.marker))
            sink = BytesIO()
            with translate_damage():
                fastavro.writer(
                    sink,
                    schema,
                    fastavro.reader(container, reader_schema=schema),
                    codec=self.header.codec,
                    sync_marker=marker,
                )
            sink.seek(0)
            yield from read_blocks(sink, read_header(sink).marker)
