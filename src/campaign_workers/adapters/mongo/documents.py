"""Reading and writing documents: the codec of all collections, and safe field names."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final
from urllib.parse import unquote

from bson import Int64
from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from pymongo.collection import Collection
from pymongo.database import Database

Document = dict[str, Any]


class _Int64Decoder(TypeDecoder):
    """Decodes 64-bit integers to `int`, as the driver does with 32-bit ones."""

    bson_type = Int64

    def transform_bson(self, value: Any) -> int:
        return int(value)


CODEC: Final = CodecOptions(
    document_class=dict,
    tz_aware=True,
    tzinfo=UTC,
    type_registry=TypeRegistry([_Int64Decoder()]),
)


def collection(database: Database[Document], name: str) -> Collection[Document]:
    """Return a collection that decodes dates as UTC and integers as `int`."""
    return database.get_collection(name, codec_options=CODEC)


_UNSAFE: Final = str.maketrans({mark: f"%{ord(mark):02X}" for mark in "%.$\0"})


def escape_names(value: Any) -> Any:
    """Return `value` with field names that every server version accepts, at any depth.

    Market ids and locales are used as field names; `%`, `.`, `$` and NUL in them are
    percent-encoded.
    """
    if isinstance(value, Mapping):
        return {name.translate(_UNSAFE): escape_names(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [escape_names(part) for part in value]
    return value


def unescape_names(value: Any) -> Any:
    """Return the value that `escape_names` escaped."""
    if isinstance(value, Mapping):
        return {unquote(name): unescape_names(part) for name, part in value.items()}
    if isinstance(value, list):
        return [unescape_names(part) for part in value]
    return value
