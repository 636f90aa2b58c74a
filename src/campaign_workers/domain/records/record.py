"""The records of the streams and the lake: parsing, and the dedupe key.

Any team may write to a stream, so parsing is strict: types match exactly, and an error names the
wrong field, never its value.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import rfc8785

from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.types import (
    RECORD_TYPES,
    SELECTION_TYPES,
    DuplicateNameError,
    RecordType,
    iso_utc,
    parse_json,
    parse_utc,
)

TRANSPORT_METADATA: Final = "__meta"
"""Metadata that carriers add to a record; it is ignored."""

NOT_CONTENT: Final = frozenset({"created", "dedupeKey", TRANSPORT_METADATA})
"""Fields in which two equal records may differ."""

UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""`created` of a record without one, if its type does not need it."""

_DEDUPE_KEY: Final = re.compile(r"[0-9a-f]{32}")
_SAFE_INTEGER: Final = 2**53
# Far below the recursion limit of any machine, so that all machines reject the same records.
_MAX_DEPTH: Final = 32


class UnknownType(RejectRecord):
    """The type of a record is not one of the expected types."""


@attrs.frozen(kw_only=True)
class Record:
    """One record of a stream or of the lake.

    `fields` has the camelCase names of the wire and every field of the type, None where an
    optional one is absent; strings are trimmed. `created` is aware, in UTC, in whole milliseconds.
    """

    type: str
    fields: Mapping[str, Any] = attrs.field(repr=False)
    created: datetime = attrs.field(repr=False)
    dedupe_key: str

    def to_json(self) -> dict[str, Any]:
        """Return the record as a JSON object: no nulls, `created` as text."""
        present = {name: value for name, value in self.fields.items() if value is not None}
        return {
            "type": self.type,
            **present,
            "created": iso_utc(self.created),
            "dedupeKey": self.dedupe_key,
        }

    def to_bytes(self) -> bytes:
        """Return the record as it is put on a stream: compact JSON in UTF-8."""
        return _encode(self.to_json()).encode()


def parse_record(data: bytes, types: Mapping[str, RecordType] = RECORD_TYPES) -> Record:
    """Parse a record from JSON in UTF-8.

    Raises:
        UnknownType: the record is of none of the `types`.
        RejectRecord: the data is no JSON object, or a field is missing or wrong.

    Example:
        >>> ban = b'{"type":"codeBan","campaignId":"c","code":"A","created":"2026-09-01T00:00:00Z"}'
        >>> parse_record(ban).type
        'codeBan'
    """
    try:
        raw = parse_json(data.decode())
    except UnicodeDecodeError:
        raise RejectRecord("not UTF-8") from None
    except RecursionError:
        raise RejectRecord("nested too deeply") from None
    except DuplicateNameError:
        raise RejectRecord("a field appears twice") from None
    except ValueError:
        raise RejectRecord("not JSON") from None
    return read_record(raw, types)


def read_record(raw: Mapping[str, Any], types: Mapping[str, RecordType] = RECORD_TYPES) -> Record:
    """Build a record from a mapping with the names and the JSON types of the wire.

    A valid `dedupeKey` is kept, because it was computed when the record was first received. Fields
    that the type does not have count for the key and are left out of the record.

    Raises:
        UnknownType: the record is of none of the `types`.
        RejectRecord: `raw` is no mapping, or a field is missing or wrong.
    """
    if raw.__class__ is not dict and not isinstance(raw, Mapping):
        raise RejectRecord("not a JSON object")
    content = _trim_fields(raw)
    record_type = _type_of(content, types)
    return Record(
        type=record_type.name,
        fields=record_type.parse(content),
        created=_created_of(content, record_type),
        dedupe_key=_key_of(content),
    )


def claimed_type(data: bytes) -> str | None:
    """Return the type that a rejected record names, or None if the lake has no such type."""
    try:
        raw = json.loads(data.decode())
        name = raw["type"].strip()
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return name if name in RECORD_TYPES else None


def dedupe_key(content: Mapping[str, Any]) -> str:
    """Return the key by which equal records are recognised, on any machine and in any version.

    The key is 32 hex digits of SHA-256 over the canonical JSON of a trimmed record without nulls.

    Raises:
        ValueError: a value has no canonical JSON (lone surrogates, not finite, beyond 2^53).
    """
    hashed = dict(content)
    for name in NOT_CONTENT:
        hashed.pop(name, None)
    return hashlib.sha256(canonical_json(hashed)).hexdigest()[:32]


def canonical_json(content: Mapping[str, Any]) -> bytes:
    """Return the RFC 8785 bytes of an object whose whole numbers are within 2^53.

    The standard encoder writes the same bytes for nearly all records, about five times faster than
    the reference implementation, which encodes the others.

    Raises:
        ValueError: a value has no canonical JSON.
    """
    if _is_plain(content):
        return _encode_sorted(content).encode()
    return rfc8785.dumps(dict(content))


_encode: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_encode_sorted: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode
_PLAIN_TYPES: Final = frozenset({str, bool})
_TEXT: Final = frozenset({str})


def _is_plain(content: Mapping[str, Any]) -> bool:
    # RFC 8785 sorts names by UTF-16 units and Python by code points: the same for ASCII names.
    others = [value for value in content.values() if value.__class__ not in _PLAIN_TYPES]
    return "".join(content).isascii() and all(map(_has_one_spelling, others))


def _has_one_spelling(value: Any) -> bool:
    kind = value.__class__
    if kind is list:
        return _TEXT.issuperset(map(type, value))
    if kind is int:
        return bool(-_SAFE_INTEGER < value < _SAFE_INTEGER)
    if kind is float:
        # In this range Python and ECMAScript print a double alike, except for whole numbers.
        return bool(1e-4 <= abs(value) < 1e16 and value % 1)
    return False


def _trim_fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    content = {}
    for name, value in raw.items():
        if value.__class__ is str:
            content[name] = value.strip()
        elif value is not None and name != TRANSPORT_METADATA:
            try:
                content[name] = _trim(value)
            except ValueError as error:
                raise RejectRecord(str(error), field=_safe_name(name)) from None
    return content


_NOTHING_TO_TRIM: Final = frozenset({bool, float, type(None)})


def _trim(value: Any, depth: int = 0) -> Any:
    kind = value.__class__
    if kind is str:
        return value.strip()
    if kind in _NOTHING_TO_TRIM:
        return value
    if kind is int:
        return value if -_SAFE_INTEGER < value < _SAFE_INTEGER else _nearest_double(value)
    if kind not in (list, tuple, dict):
        raise ValueError("not a JSON type")
    if depth == _MAX_DEPTH:
        raise ValueError("nested too deeply")
    if kind is dict:
        return {name: _trim(item, depth + 1) for name, item in value.items() if item is not None}
    return [_trim(item, depth + 1) for item in value]


def _nearest_double(whole: int) -> float:
    """Return what RFC 8785 writes for a whole number that a double may not hold exactly."""
    try:
        return float(whole)
    except OverflowError:
        raise ValueError("a number beyond all doubles") from None


def _safe_name(name: object) -> str:
    """Return the name of a field that we define; an unknown name may be personal data."""
    is_known = name in NOT_CONTENT or name == "type" or name in _KNOWN_FIELDS
    return str(name) if is_known else "a field that is not of the type"


_KNOWN_FIELDS: Final = frozenset(
    field.name
    for record_type in (*RECORD_TYPES.values(), *SELECTION_TYPES.values())
    for field in record_type.fields
)


def _type_of(content: Mapping[str, Any], types: Mapping[str, RecordType]) -> RecordType:
    name = content.get("type")
    if not isinstance(name, str):
        raise RejectRecord("missing, or not a string", field="type")
    try:
        return types[name]
    except KeyError:
        raise UnknownType("unknown", field="type") from None


def _created_of(content: Mapping[str, Any], record_type: RecordType) -> datetime:
    created = content.get("created")
    if created is None and not record_type.needs_created:
        return UNDATED
    try:
        return parse_utc(created)  # type: ignore[arg-type]  # a TypeError is caught below
    except (TypeError, ValueError):
        reason = "expected an ISO-8601 date and time in UTC"
        raise RejectRecord(reason, field="created") from None


def _key_of(content: Mapping[str, Any]) -> str:
    try:
        computed = dedupe_key(content)
    except ValueError:
        raise _without_canonical_json(content) from None
    given = content.get("dedupeKey")
    return given if isinstance(given, str) and _DEDUPE_KEY.fullmatch(given) else computed


def _without_canonical_json(content: Mapping[str, Any]) -> RejectRecord:
    culprit = next(name for name, value in content.items() if not _has_key({name: value}))
    reason = "no canonical JSON: a lone surrogate or a number that is not finite"
    return RejectRecord(reason, field=_safe_name(culprit))


def _has_key(content: Mapping[str, Any]) -> bool:
    try:
        return bool(dedupe_key(content))
    except ValueError:
        return False
