"""Merging containers block by block: what has the same schema is copied, not decoded."""

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
    readable,
)
from campaign_workers.adapters.avro.schemas import in_force
from campaign_workers.domain.errors import BadInput
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.query_engine import Merge

# Stores work with larger pieces than blocks are.
_CHUNK_BYTES: Final = 1024 * 1024


@attrs.frozen(kw_only=True)
class BlockMerge:
    """A query engine for the lake in `lake`; memory does not grow with what is merged."""

    lake: ObjectStore
    codec: str = attrs.field(default="deflate", validator=in_(CODECS))

    @contextmanager
    def merge(
        self, record_type: str, sources: Sequence[str], metadata: Mapping[str, str]
    ) -> Iterator[Merge]:
        """See `QueryEngine.merge`."""
        schema = in_force(record_type)
        named = "\n".join([record_type, *sources, *sorted(metadata.values())])
        header = Header(
            schema=schema,
            codec=self.codec,
            marker=hashlib.sha256(named.encode()).digest()[:MARKER_BYTES],
            notes=metadata,
        )
        yield _BlockMerge(lake=self.lake, header=header, sources=tuple(sources))


@attrs.frozen(kw_only=True)
class _BlockMerge:
    lake: ObjectStore
    header: Header
    sources: tuple[str, ...]
    counted: dict[str, int] = attrs.field(factory=dict)

    def chunks(self) -> Iterator[bytes]:
        pieces, held = [self.header.to_bytes()], 0
        for block in self._blocks():
            pieces.append(block.to_bytes(self.header.marker))
            held += len(pieces[-1])
            if held >= _CHUNK_BYTES:
                yield b"".join(pieces)
                pieces, held = [], 0
        yield b"".join(pieces)

    def counts(self) -> Mapping[str, int]:
        return dict(self.counted)

    def _blocks(self) -> Iterator[Block]:
        for key in self.sources:
            self.counted[key] = 0
            with closing(self.lake.open(key)) as source:
                for block in self._blocks_of(key, source):
                    self.counted[key] += block.count
                    yield block

    def _blocks_of(self, key: str, source: BinaryIO) -> Iterator[Block]:
        try:
            header = read_header(source)
            self._refuse_strangers(header)
            if (header.version, header.codec) == (self.header.version, self.header.codec):
                yield from read_blocks(source, header.marker)
            else:
                yield from self._recoded(header, source)
        except BadInput as why:
            raise why.within(key) from None

    def _refuse_strangers(self, header: Header) -> None:
        if header.record_type != self.header.record_type:
            raise BadInput("records of another type")
        if header.version is None:
            raise BadInput(
                "its schema is not in the history", remedy="add it, or take the file away"
            )

    def _recoded(self, header: Header, source: BinaryIO) -> Iterator[Block]:
        """Blocks of an older schema or another compression, decoded and written anew."""
        ours, marker = dict(self.header.schema), self.header.marker
        for block in read_blocks(source, header.marker):
            whole = BytesIO(header.to_bytes() + block.to_bytes(header.marker))
            sink = BytesIO()
            with readable():
                fastavro.writer(
                    sink,
                    ours,
                    fastavro.reader(whole, reader_schema=ours),
                    codec=self.header.codec,
                    sync_marker=marker,
                )
            sink.seek(0)
            yield from read_blocks(sink, read_header(sink).marker)
