"""The key that tells equal records apart from different ones, on any machine and version."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar

import rfc8785

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
