"""The framing of Avro container files: a header and blocks, read without decoding records.

A header has a magic number, metadata and a sync marker of 16 bytes. A block has the number of
records, the number of bytes, the compressed bytes, and the marker again.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any, BinaryIO, Final

import attrs
import fastavro
from fastavro.schema import SchemaParseException

from campaign_workers.adapters.avro.schemas import Schema, type_of, version_of
from campaign_workers.domain.errors import BadInput

MARKER_BYTES: Final = 16

_MAGIC: Final = b"Obj\x01"
_FRAME: Final[Any] = fastavro.parse_schema(
    {
        "type": "record",
        "name": "org.apache.avro.file.Header",
        "fields": [
            {"name": "magic", "type": {"type": "fixed", "name": "magic", "size": len(_MAGIC)}},
            {"name": "meta", "type": {"type": "map", "values": "bytes"}},
            {"name": "sync", "type": {"type": "fixed", "name": "sync", "size": MARKER_BYTES}},
        ],
    }
)
# Larger blocks are never written; a larger size means that the file is damaged.
_MAX_BLOCK_BYTES: Final = 2**31
_MAX_VARINT_BYTES: Final = 10

# The errors that the library is known to raise for damaged bytes; errors of stores pass through.
_DAMAGE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    SchemaParseException,
    TypeError,
    ValueError,
    zlib.error,
)


@attrs.frozen(kw_only=True)
class Header:
    """The header of a container; `metadata` is what its writer added."""

    schema: Schema
    codec: str
    marker: bytes
    metadata: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def record_type(self) -> str:
        """The type of the records."""
        return type_of(self.schema)

    @property
    def version(self) -> int | None:
        """The version of the schema in the history of its type, or None if it is not there."""
        return version_of(self.schema)

    def to_bytes(self) -> bytes:
        """Encode the header as in a file."""
        own = {"avro.codec": self.codec, "avro.schema": json.dumps(self.schema)}
        meta = {name: text.encode() for name, text in sorted({**self.metadata, **own}.items())}
        sink = BytesIO()
        frame = {"magic": _MAGIC, "meta": meta, "sync": self.marker}
        fastavro.schemaless_writer(sink, _FRAME, frame)
        return sink.getvalue()


@attrs.frozen(kw_only=True)
class Block:
    """`count` records, encoded and compressed."""

    count: int
    data: bytes = attrs.field(repr=False)

    def to_bytes(self, marker: bytes) -> bytes:
        """Encode the block as in a file with that marker."""
        count, size = _encode_varint(self.count), _encode_varint(len(self.data))
        return b"".join([count, size, self.data, marker])


def read_header(source: BinaryIO) -> Header:
    """Read a header, leaving `source` at the first block.

    Raises:
        BadInput: the source is not an Avro container of records.
    """
    with translate_damage():
        frame: Any = fastavro.schemaless_reader(source, _FRAME, None)
        meta = {name: value.decode() for name, value in frame["meta"].items()}
        schema = json.loads(meta["avro.schema"])
        if frame["magic"] != _MAGIC or schema["type"] != "record" or not schema["name"]:
            raise ValueError("not a container of records")
        return Header(
            schema=schema,
            codec=meta.get("avro.codec", "null"),
            marker=frame["sync"],
            metadata={name: text for name, text in meta.items() if not name.startswith("avro.")},
        )


def read_blocks(source: BinaryIO, marker: bytes) -> Iterator[Block]:
    """Yield the blocks that follow a header, one in memory at a time.

    Raises:
        BadInput: the container is damaged or ends early.
    """
    while start := source.read(1):
        with translate_damage():
            count, size = _read_varint(source, start), _read_varint(source)
            if not 0 <= count < 2**63 or not 0 <= size < _MAX_BLOCK_BYTES:
                raise ValueError("impossible size")
            data = _read_exactly(source, size)
            if _read_exactly(source, MARKER_BYTES) != marker:
                raise ValueError("marker missing")
        yield Block(count=count, data=data)


@contextmanager
def translate_damage() -> Iterator[None]:
    """Translate the library's various errors about damaged bytes into one.

    Raises:
        BadInput: the bytes are damaged or not Avro.
    """
    try:
        yield
    except _DAMAGE as why:
        raise BadInput(f"not an Avro container, or damaged ({type(why).__name__})") from None


def _read_exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    if len(data) != size:
        raise EOFError("ends early")
    return data


def _read_varint(source: BinaryIO, start: bytes = b"") -> int:
    digits = [(start or _read_exactly(source, 1))[0]]
    while digits[-1] & 0x80:
        if len(digits) == _MAX_VARINT_BYTES:
            raise ValueError("number too long")
        digits.append(_read_exactly(source, 1)[0])
    raw = sum((digit & 0x7F) << (7 * place) for place, digit in enumerate(digits))
    return (raw >> 1) ^ -(raw & 1)


def _encode_varint(value: int) -> bytes:
    """Encode a non-negative integer as Avro does: zigzag, seven bits per byte."""
    rest, digits = value << 1, bytearray()
    while rest > 0x7F:
        digits.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*digits, rest])
