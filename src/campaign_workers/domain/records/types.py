"""The table of record types, and what makes a field right."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

import attrs

from campaign_workers.domain.errors import RejectRecord


class FieldKind(Enum):
    """What a field holds; the value is its Avro type, and the class that JSON gives it."""

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
    """One field: `longest` bounds a list, `choices` are the only values allowed."""

    name: str
    kind: FieldKind
    optional: bool = False
    may_be_empty: bool = True
    longest: int | None = None
    choices: tuple[Any, ...] = ()

    def read(self, value: Any) -> Any:
        """The value as the record holds it.

        Raises:
            RejectRecord: it is missing, of another type, or not allowed.
        """
        if value is None:
            if self.optional:
                return None
            raise RejectRecord("missing", field=self.name)
        if value.__class__ is not self.kind.python:
            value = self._converted(value)
        return self._checked(value)

    right_as_it_is: type | None = attrs.field(init=False, repr=False)
    """A value of this very class needs no reading: a short cut that doubles the rate."""

    @right_as_it_is.default
    def _class_without_rules(self) -> type | None:
        ruled = not self.may_be_empty or self.choices or self.kind is FieldKind.TEXTS
        return None if ruled else self.kind.python

    def _converted(self, value: Any) -> float:
        if self.kind is FieldKind.DOUBLE and value.__class__ is int:
            return float(value)
        raise RejectRecord(f"not {_CALLED[self.kind]}", field=self.name)

    def _checked(self, value: Any) -> Any:
        if not self.may_be_empty and not value:
            raise RejectRecord("empty", field=self.name)
        if self.choices and value not in self.choices:
            raise RejectRecord(f"not one of {self.choices}", field=self.name)
        if self.kind is FieldKind.TEXTS:
            if not _TEXT.issuperset(map(type, value)):
                raise RejectRecord(f"not {_CALLED[FieldKind.TEXTS]}", field=self.name)
            if self.longest is not None and len(value) > self.longest:
                raise RejectRecord(f"more than {self.longest} of them", field=self.name)
        return value


@attrs.frozen(kw_only=True)
class RecordType:
    """A type of record: its fields in order, and of which of them one must be there."""

    name: str
    fields: tuple[Field, ...]
    one_of: tuple[str, ...] = ()
    dated: bool = True
    """Whether `created` is required."""

    def read(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Every field of the type, None for an absent optional one.

        Raises:
            RejectRecord: a field is wrong.
        """
        values = {}
        for field in self.fields:
            value = content.get(field.name)
            absent = value is None and field.optional
            right = absent or value.__class__ is field.right_as_it_is
            values[field.name] = value if right else field.read(value)
        if self.one_of and not any(map(values.get, self.one_of)):
            raise RejectRecord("missing, one of them at least", field=", ".join(self.one_of))
        return values


_TEXT: Final = frozenset({str})
_CALLED: Final = {
    FieldKind.TEXT: "a string",
    FieldKind.LONG: "a whole number below 2^53",
    FieldKind.INT: "a whole number",
    FieldKind.DOUBLE: "a number",
    FieldKind.FLAG: "true or false",
    FieldKind.TEXTS: "a list of strings",
}

# A name means the same in every type, so its kind is said once; all the others are text.
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
# An address may be blank at registration: scrubbing says so of the fan, and keeps the row.
_MAY_BE_EMPTY: Final = frozenset({"email"})

# `?` optional, `[]` a list, `[4]` a list of at most four.
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
        longest=int(bound) if bound else None,
        choices=_CHOICES.get(name, ()),
    )


def _record_type(name: str, words: str) -> RecordType:
    fields = tuple(map(_field, words.split()))
    return RecordType(name=name, fields=fields, one_of=_ONE_OF.get(name, ()))


RECORD_TYPES: Final[Mapping[str, RecordType]] = MappingProxyType(
    {name: _record_type(name, words) for name, words in _TABLE.items()}
)
"""What the lake knows, by name."""

SELECTION_REFRESH: Final = attrs.evolve(
    _record_type("selectionRefresh", "campaignId globalUserId"), dated=False
)

SELECTION_TYPES: Final[Mapping[str, RecordType]] = MappingProxyType(
    {
        "codeAssignment": RECORD_TYPES["codeAssignment"],
        "selectionRefresh": SELECTION_REFRESH,
    }
)
"""What travels on `saveSelectionStream`, by name."""


def parse_utc(text: str) -> datetime:
    """An ISO-8601 date and time in UTC (offset zero), cut to whole milliseconds.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text)
    is_utc = moment.tzinfo is UTC or moment.utcoffset() == timedelta(0)
    if "T" not in text or not is_utc:
        raise ValueError("not a date and time in UTC")
    if moment.tzinfo is UTC and not moment.microsecond % 1000:
        return moment
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)


def iso_utc(moment: datetime) -> str:
    """The shortest ISO-8601 text of a moment: `...Z`, milliseconds only where there are any."""
    timespec = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
