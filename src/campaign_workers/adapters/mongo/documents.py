"""How documents of every collection are read and written."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final
from urllib.parse import unquote

from bson import Int64
from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from pymongo.collection import Collection
from pymongo.database import Database

Document = dict[str, Any]


class _WholeNumbers(TypeDecoder):
    """Whole numbers of 64 bits come as `int`, as those of 32 bits do."""

    bson_type = Int64

    def transform_bson(self, value: Any) -> int:
        return int(value)


CODEC: Final = CodecOptions(
    document_class=dict,
    tz_aware=True,
    tzinfo=UTC,
    type_registry=TypeRegistry([_WholeNumbers()]),
)


def collection(database: Database[Document], name: str) -> Collection[Document]:
    """A collection whose dates are in UTC and whose whole numbers are `int`."""
    return database.get_collection(name, codec_options=CODEC)


_UNSAFE: Final = str.maketrans({mark: f"%{ord(mark):02X}" for mark in "%.$\0"})


def escape_names(value: Any) -> Any:
    """`value` with names of fields that any version of the server takes, at any depth.

    Market ids and locales stand as names; `%`, `.`, `$` and NUL in them are percent-encoded.
    """
    if isinstance(value, Mapping):
        return {name.translate(_UNSAFE): escape_names(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [escape_names(part) for part in value]
    return value


def unescape_names(value: Any) -> Any:
    """What `escape_names` was given."""
    if isinstance(value, Mapping):
        return {unquote(name): unescape_names(part) for name, part in value.items()}
    if isinstance(value, list):
        return [unescape_names(part) for part in value]
    return value
