"""The key that tells equal records apart from different ones, on any machine and version.

The records of the streams and the lake: what each type holds, and how one is read.

A record arrives as JSON from whoever may write to a stream, so reading is strict: types match
exactly, and what is wrong is turned away with the field that is wrong, never with its value.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeVar

import attrs
import rfc8785

from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.types import (
    RECORD_TYPES,
    SELECTION_TYPES,
    RecordType,
    iso_utc,
    parse_utc,
)

TRANSPORT_NOTES: Final = "__meta"
"""What carriers note on a record; no part of it."""

NOT_CONTENT: Final = frozenset({"created", "dedupeKey", TRANSPORT_NOTES})
"""What a record says about its own journey; two equal records may differ in it."""


class _Keyed(Protocol):
    @property
    def dedupe_key(self) -> str: ...


_K = TypeVar("_K", bound=_Keyed)

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode


def dedupe_key(content: Mapping[str, Any]) -> str:
    """32 hex digits of SHA-256 over the canonical JSON of a trimmed record without nulls.

    Raises:
        ValueError: a value has no canonical JSON (lone surrogates, not finite, beyond 2^53).
    """
    kept = dict(content)
    for name in NOT_CONTENT:
        kept.pop(name, None)
    return hashlib.sha256(canonical_json(kept)).hexdigest()[:32]


def canonical_json(content: Mapping[str, Any]) -> bytes:
    """RFC 8785 bytes of an object whose whole numbers lie within 2^53.

    The standard encoder, about five times faster, writes the same bytes for what nearly all
    records are made of; anything else goes to the reference implementation.

    Raises:
        ValueError: a value has no canonical JSON.
    """
    if _is_plain(content):
        return _encode(content).encode()
    return rfc8785.dumps(dict(content))


def distinct(records: Iterable[_K]) -> list[_K]:
    """The first of each key, in order."""
    first: dict[str, _K] = {}
    for record in records:
        first.setdefault(record.dedupe_key, record)
    return list(first.values())


def _is_plain(content: Mapping[str, Any]) -> bool:
    # Keys sort by UTF-16 units in RFC 8785 and by code points here: the same while all are ASCII.
    others = [value for value in content.values() if value.__class__ not in _ALWAYS_PLAIN]
    return "".join(content).isascii() and all(map(_has_one_spelling, others))


_ALWAYS_PLAIN: Final = frozenset({str, bool})
_TEXT: Final = frozenset({str})


def _has_one_spelling(value: Any) -> bool:
    kind = value.__class__
    if kind is list:
        return _TEXT.issuperset(map(type, value))
    if kind is int:
        return bool(-(2**53) < value < 2**53)
    if kind is float:
        # Inside this range, whole numbers aside, Python and ECMAScript print a double alike.
        return bool(1e-4 <= abs(value) < 1e16 and value % 1)
    return False


UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When a record of a type that needs no `created` was made, if it does not say."""

_KEY = re.compile(r"[0-9a-f]{32}")
_WHOLE_LIMIT: Final = 2**53
# Far below what any stack allows, so that every machine turns away the same records.
_DEEPEST: Final = 32


class UnknownType(RejectRecord):
    """The record is of a type that the reader does not take."""


@attrs.frozen(kw_only=True)
class Record:
    """One record of a stream or of the lake.

    `fields` has the camelCase names of the wire and every field of the type, None where an
    optional one is absent; strings are trimmed. `created` is aware, UTC, whole milliseconds.
    """

    type: str
    fields: Mapping[str, Any] = attrs.field(repr=False)
    created: datetime = attrs.field(repr=False)
    dedupe_key: str

    def to_json(self) -> dict[str, Any]:
        """The record as a JSON object: no nulls, `created` as text."""
        present = {name: value for name, value in self.fields.items() if value is not None}
        return {
            "type": self.type,
            **present,
            "created": iso_utc(self.created),
            "dedupeKey": self.dedupe_key,
        }

    def to_bytes(self) -> bytes:
        """The record as it is put on a stream: compact JSON in UTF-8."""
        return _compact(self.to_json()).encode()


def parse_record(data: bytes, types: Mapping[str, RecordType] = RECORD_TYPES) -> Record:
    """Read one record from JSON in UTF-8.

    Raises:
        UnknownType: it is of none of the `types`.
        RejectRecord: it is no JSON object, or a field is missing or wrong.
    """
    try:
        raw = _decode(data.decode())
    except UnicodeDecodeError:
        raise RejectRecord("not UTF-8") from None
    except RecursionError:
        raise RejectRecord("nested too deeply") from None
    except ValueError:
        raise RejectRecord("not JSON") from None
    return read_record(raw, types)


def read_record(raw: Mapping[str, Any], types: Mapping[str, RecordType] = RECORD_TYPES) -> Record:
    """Read one record from a mapping with the names and the JSON types of the wire.

    A `dedupeKey` of 32 hex digits is kept, because it was computed when the record was first
    received; fields that the type does not know count for the key and are left out of the record.

    Raises:
        UnknownType: it is of none of the `types`.
        RejectRecord: it is no object, or a field is missing or wrong.
    """
    if raw.__class__ is not dict and not isinstance(raw, Mapping):
        raise RejectRecord("not a JSON object")
    content = _trimmed(raw)
    kind = _type_of(content, types)
    return Record(
        type=kind.name,
        fields=kind.read(content),
        created=_created(content.get("created"), kind),
        dedupe_key=_key_of(content),
    )


def claimed_type(data: bytes) -> str | None:
    """The type that a rejected record says it is of, None if that is none of ours."""
    try:
        raw = json.loads(data.decode())
        name = raw["type"].strip()
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return name if name in RECORD_TYPES else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers disagree on which of two equal names counts, and so would their dedupe keys.
    content = dict(pairs)
    if len(content) != len(pairs):
        raise RejectRecord("a field appears twice")
    return content


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


_compact: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_decode: Final[Callable[[str], Any]] = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant
).decode


def _trimmed(raw: Mapping[str, Any]) -> dict[str, Any]:
    content = {}
    for name, value in raw.items():
        if value.__class__ is str:
            content[name] = value.strip()
        elif value is not None and name != TRANSPORT_NOTES:
            try:
                content[name] = _trim(value)
            except ValueError as why:
                raise RejectRecord(str(why), field=_place(name)) from None
    return content


_LEFT_ALONE: Final = frozenset({bool, float, type(None)})


def _trim(value: Any, depth: int = 0) -> Any:
    kind = value.__class__
    if kind is str:
        return value.strip()
    if kind in _LEFT_ALONE:
        return value
    if kind is int:
        return value if -_WHOLE_LIMIT < value < _WHOLE_LIMIT else _nearest_double(value)
    if kind not in (list, tuple, dict):
        raise ValueError("not a JSON type")
    if depth == _DEEPEST:
        raise ValueError("nested too deeply")
    if kind is dict:
        return {name: _trim(item, depth + 1) for name, item in value.items() if item is not None}
    return [_trim(item, depth + 1) for item in value]


def _nearest_double(whole: int) -> float:
    """What RFC 8785 makes of a whole number that a double may not hold exactly."""
    try:
        return float(whole)
    except OverflowError:
        raise ValueError("a number beyond all doubles") from None


def _place(name: object) -> str:
    """A name that we gave; whatever else stands there may be personal."""
    known = name in NOT_CONTENT or name == "type" or name in _KNOWN_FIELDS
    return str(name) if known else "a field that is not of the type"


_KNOWN_FIELDS: Final = frozenset(
    field.name
    for kind in (*RECORD_TYPES.values(), *SELECTION_TYPES.values())
    for field in kind.fields
)


def _type_of(content: Mapping[str, Any], types: Mapping[str, RecordType]) -> RecordType:
    name = content.get("type")
    if not isinstance(name, str):
        raise RejectRecord("missing or no string", field="type")
    try:
        return types[name]
    except KeyError:
        raise UnknownType("unknown", field="type") from None


def _created(value: Any, kind: RecordType) -> datetime:
    if value is None and not kind.dated:
        return UNDATED
    try:
        return parse_utc(value)
    except (TypeError, ValueError):
        raise RejectRecord("no ISO-8601 date and time in UTC", field="created") from None


def _key_of(content: Mapping[str, Any]) -> str:
    try:
        computed = dedupe_key(content)
    except ValueError:
        raise _unspeakable(content) from None
    given = content.get("dedupeKey")
    return given if isinstance(given, str) and _KEY.fullmatch(given) else computed


def _unspeakable(content: Mapping[str, Any]) -> RejectRecord:
    culprit = next(name for name, value in content.items() if not _has_key({name: value}))
    reason = "no canonical JSON: a lone surrogate or a number that is not finite"
    return RejectRecord(reason, field=_place(culprit))


def _has_key(content: Mapping[str, Any]) -> bool:
    try:
        return bool(dedupe_key(content))
    except ValueError:
        return False
