"""The frame of an Avro container: a header, then blocks, none of which has to be decoded.

A container is a header (magic, notes, a marker of 16 bytes) and any number of blocks: how many
records, how many bytes, the bytes as compressed, the marker again.
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
# What Avro itself writes, and what a damaged size would have us read.
_BIGGEST_BLOCK: Final = 2**31
_LONGEST_NUMBER: Final = 10

# Everything that the library is known to make of damaged bytes; a store's own errors pass.
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
    """The beginning of a container; `notes` is what its writer added for other readers."""

    schema: Schema
    codec: str
    marker: bytes
    notes: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def record_type(self) -> str:
        """The type of the records."""
        return type_of(self.schema)

    @property
    def version(self) -> int | None:
        """The version of the schema in the history of its type, None if it is not there."""
        return version_of(self.schema)

    def to_bytes(self) -> bytes:
        """The header as it stands in a file."""
        own = {"avro.codec": self.codec, "avro.schema": json.dumps(self.schema)}
        meta = {name: text.encode() for name, text in sorted({**self.notes, **own}.items())}
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
        """The block as it stands in a file with that marker."""
        return b"".join([_number(self.count), _number(len(self.data)), self.data, marker])


def read_header(source: BinaryIO) -> Header:
    """Read a header; `source` is left at the first block.

    Raises:
        BadInput: it is no container of records.
    """
    with readable():
        frame: Any = fastavro.schemaless_reader(source, _FRAME, None)
        meta = {name: value.decode() for name, value in frame["meta"].items()}
        schema = json.loads(meta["avro.schema"])
        if frame["magic"] != _MAGIC or schema["type"] != "record" or not schema["name"]:
            raise ValueError("not a container of records")
        return Header(
            schema=schema,
            codec=meta.get("avro.codec", "null"),
            marker=frame["sync"],
            notes={name: text for name, text in meta.items() if not name.startswith("avro.")},
        )


def read_blocks(source: BinaryIO, marker: bytes) -> Iterator[Block]:
    """The blocks of a container whose header was read, one in memory at a time.

    Raises:
        BadInput: the container is damaged or ends early.
    """
    while start := source.read(1):
        with readable():
            count, size = _read_number(source, start), _read_number(source)
            if not 0 <= count < 2**63 or not 0 <= size < _BIGGEST_BLOCK:
                raise ValueError("impossible size")
            data = _exactly(source, size)
            if _exactly(source, MARKER_BYTES) != marker:
                raise ValueError("marker missing")
        yield Block(count=count, data=data)


@contextmanager
def readable() -> Iterator[None]:
    """Turn whatever damaged bytes make of the library into one clear error.

    Raises:
        BadInput: the body failed for anything but a failing system.
    """
    try:
        yield
    except _DAMAGE as why:
        raise BadInput(f"not an Avro container, or damaged ({type(why).__name__})") from None


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    if len(data) != size:
        raise EOFError("ends early")
    return data


def _read_number(source: BinaryIO, start: bytes = b"") -> int:
    digits = [(start or _exactly(source, 1))[0]]
    while digits[-1] & 0x80:
        if len(digits) == _LONGEST_NUMBER:
            raise ValueError("number too long")
        digits.append(_exactly(source, 1)[0])
    raw = sum((digit & 0x7F) << (7 * place) for place, digit in enumerate(digits))
    return (raw >> 1) ^ -(raw & 1)


def _number(value: int) -> bytes:
    """A whole number of zero or more, as Avro writes it: zigzag, seven bits a byte."""
    rest, digits = value << 1, bytearray()
    while rest > 0x7F:
        digits.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*digits, rest])
