"""The table of record types, how a field is checked, and the JSON and times that records have."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

import attrs

from campaign_workers.domain.errors import RejectRecord


class FieldKind(Enum):
    """The type of a field: its name in Avro, and the class of a parsed JSON value."""

    TEXT = ("string", str)
    LONG = ("long", int)
    INT = ("int", int)
    DOUBLE = ("double", float)
    FLAG = ("boolean", bool)
    TEXTS = ("array", list)

    def __init__(self, avro: str, python: type) -> None:
        self.avro = avro
        self.python = python


@attrs.frozen(kw_only=True)
class Field:
    """One field of a record type.

    `max_items` limits a list, and `choices`, if there are any, are the only allowed values.
    """

    name: str
    kind: FieldKind
    optional: bool = False
    may_be_empty: bool = True
    max_items: int | None = None
    choices: tuple[Any, ...] = ()

    def parse(self, value: Any) -> Any:
        """Return the value as a record has it.

        Raises:
            RejectRecord: the value is missing, of another type, or not allowed.
        """
        if value is None:
            if self.optional:
                return None
            raise RejectRecord("missing", field=self.name)
        if value.__class__ is not self.kind.python:
            value = self._convert(value)
        self._check(value)
        return value

    unchecked_type: type | None = attrs.field(init=False, repr=False)
    """Values of this class need no `parse`; skipping the call doubles the rate."""

    @unchecked_type.default
    def _type_without_rules(self) -> type | None:
        has_rules = not self.may_be_empty or self.choices or self.kind is FieldKind.TEXTS
        return None if has_rules else self.kind.python

    def _convert(self, value: Any) -> float:
        if self.kind is FieldKind.DOUBLE and value.__class__ is int:
            return float(value)
        expected, found = _EXPECTED[self.kind], _FOUND.get(value.__class__, "another type")
        raise RejectRecord(f"expected {expected}, got {found}", field=self.name)

    def _check(self, value: Any) -> None:
        if not self.may_be_empty and not value:
            raise RejectRecord("empty", field=self.name)
        if self.choices and value not in self.choices:
            allowed = ", ".join(map(str, self.choices))
            raise RejectRecord(f"expected one of {allowed}", field=self.name)
        if self.kind is FieldKind.TEXTS:
            if not _TEXT.issuperset(map(type, value)):
                raise RejectRecord(
                    f"expected {_EXPECTED[self.kind]}, got another type in it", field=self.name
                )
            if self.max_items is not None and len(value) > self.max_items:
                raise RejectRecord(f"more than {self.max_items} items", field=self.name)


@attrs.frozen(kw_only=True)
class RecordType:
    """A type of record: its fields in order; at least one field of `one_of` is required."""

    name: str
    fields: tuple[Field, ...]
    one_of: tuple[str, ...] = ()
    needs_created: bool = True

    def parse(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return every field of the type, None for an absent optional one.

        Raises:
            RejectRecord: a field is missing or wrong.
        """
        values = {}
        for field in self.fields:
            value = content.get(field.name)
            is_absent = value is None and field.optional
            is_valid = is_absent or value.__class__ is field.unchecked_type
            values[field.name] = value if is_valid else field.parse(value)
        if self.one_of and not any(map(values.get, self.one_of)):
            raise RejectRecord("missing, one of them at least", field=", ".join(self.one_of))
        return values


_TEXT: Final = frozenset({str})
_EXPECTED: Final = {
    FieldKind.TEXT: "a string",
    FieldKind.LONG: "a whole number below 2^53",
    FieldKind.INT: "a whole number",
    FieldKind.DOUBLE: "a number",
    FieldKind.FLAG: "true or false",
    FieldKind.TEXTS: "a list of strings",
}
_FOUND: Final[Mapping[type, str]] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
}

# A field name has the same kind in every type; names that are not listed are text.
_KINDS: Final = {
    "categoryId": FieldKind.LONG,
    "rank": FieldKind.LONG,
    "quantity": FieldKind.LONG,
    "verdict": FieldKind.INT,
    "score": FieldKind.DOUBLE,
    "bandScore": FieldKind.DOUBLE,
    "price": FieldKind.DOUBLE,
    "optInEmail": FieldKind.FLAG,
    "optInSms": FieldKind.FLAG,
}
_CHOICES: Final[Mapping[str, tuple[Any, ...]]] = {
    "verdict": (0, 1),
    "source": ("scored", "fanlist"),
}
# A registration may have a blank e-mail address; scrubbing tags the fan and keeps the row.
_MAY_BE_EMPTY: Final = frozenset({"email"})

# `?` is optional, `[]` a list, `[4]` a list of at most four.
_TABLE: Final = {
    "registration": """campaignId userId globalUserId? memberId? email phone? firstName? lastName?
        locale? marketIds[4] optInEmail optInSms phoneConfirmed? referrerCode? score? updated?""",
    "scoring": """campaignId globalUserId? memberId? userId? email? phone? phoneType? score? band?
        bandScore? rank? verdict tags[] marketIds[] source""",
    "codeAssignment": "campaignId? categoryId? globalUserId userId? memberId? marketId? code",
    "codeReserve": "campaignId marketId? reserveId codes[]",
    "codeBan": "campaignId code reason?",
    "campaignMapping": "campaignId categoryId name?",
    "eventMapping": "campaignId marketId eventIds[]",
    "secondaryListing": "eventId listingId memberId? quantity price? currency? section? row?",
    "attendanceScan": "eventId ticketId memberId? scannedAt gate?",
    "fanlistEntry": "fanlistId campaignId? globalUserId? memberId? email? rank? score?",
}
_ONE_OF: Final = {"scoring": ("globalUserId", "memberId", "userId", "email")}


def _field(word: str) -> Field:
    optional = word.endswith("?")
    name, bracket, bound = word.removesuffix("?").removesuffix("]").partition("[")
    kind = FieldKind.TEXTS if bracket else _KINDS.get(name, FieldKind.TEXT)
    return Field(
        name=name,
        kind=kind,
        optional=optional,
        may_be_empty=optional or kind is not FieldKind.TEXT or name in _MAY_BE_EMPTY,
        max_items=int(bound) if bound else None,
        choices=_CHOICES.get(name, ()),
    )


def _record_type(name: str, words: str) -> RecordType:
    fields = tuple(map(_field, words.split()))
    return RecordType(name=name, fields=fields, one_of=_ONE_OF.get(name, ()))


RECORD_TYPES: Final[Mapping[str, RecordType]] = MappingProxyType(
    {name: _record_type(name, words) for name, words in _TABLE.items()}
)
"""The record types of the lake, by name."""

SELECTION_REFRESH: Final = attrs.evolve(
    _record_type("selectionRefresh", "campaignId globalUserId"), needs_created=False
)

SELECTION_TYPES: Final[Mapping[str, RecordType]] = MappingProxyType(
    {
        "codeAssignment": RECORD_TYPES["codeAssignment"],
        "selectionRefresh": SELECTION_REFRESH,
    }
)
"""The record types of `saveSelectionStream`, by name."""


class DuplicateNameError(ValueError):
    """A JSON object has a name twice."""


def parse_json(text: str) -> Any:
    """Return the value of strict JSON: no name twice in an object, no NaN, no Infinity.

    Raises:
        DuplicateNameError: an object has a name twice; parsers disagree on which value counts.
        ValueError: the text is not JSON.
        RecursionError: the text nests too deeply.
    """
    return _decode(text)


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise DuplicateNameError("a name appears twice")
    return content


def _refuse_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


_decode: Final[Callable[[str], Any]] = json.JSONDecoder(
    object_pairs_hook=_unique_names, parse_constant=_refuse_constant
).decode


def parse_utc(text: str) -> datetime:
    """Return the moment of an ISO-8601 date and time in UTC, truncated to milliseconds.

    Raises:
        ValueError: the text has another form, or an offset other than zero.
    """
    moment = datetime.fromisoformat(text)
    is_utc = moment.tzinfo is UTC or moment.utcoffset() == timedelta(0)
    if "T" not in text or not is_utc:
        raise ValueError("expected an ISO-8601 date and time in UTC")
    if moment.tzinfo is UTC and not moment.microsecond % 1000:
        return moment
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)


def iso_utc(moment: datetime) -> str:
    """Return the shortest ISO-8601 text of a moment: `...Z`, with milliseconds if it has any."""
    timespec = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
