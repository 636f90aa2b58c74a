"""How values of an Avro schema pass through a query and its CSV, and come out as they were.

A cell of CSV is a text, or nothing. So that null differs from the empty text, and a line is a
record whatever its values hold, the plain values of a record are written as texts into one array,
which is cast to JSON: there null is `null`, and quotes and line ends are escaped. Arrays are cast
to JSON each by itself.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import attrs

from campaign_workers.domain.errors import Fatal

Schema = Mapping[str, Any]

TEXTS: Final = "texts"
"""The result's first column: the plain values of a record."""

_AS_TEXT: Final = "CAST({} AS VARCHAR)"
_MILLISECONDS: Final = (
    "CAST(date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', {}) AS VARCHAR)"
)
_CELL: Final = r'(?:"([^"]*(?:""[^"]*)*)")?'


@attrs.frozen
class Kind:
    """A plain type: what Hive calls it, how SQL makes a text of it, and how that is read."""

    hive: str
    expression: str
    read: Callable[[str], Any]


PLAIN: Final[Mapping[str, Kind]] = {
    "string": Kind("string", "{}", str),
    "boolean": Kind("boolean", _AS_TEXT, {"true": True, "false": False}.__getitem__),
    "int": Kind("int", _AS_TEXT, int),
    "long": Kind("bigint", _AS_TEXT, int),
    "double": Kind("double", _AS_TEXT, float),
    "timestamp-millis": Kind("timestamp", _MILLISECONDS, int),
}
"""Avro's types as a query sees them."""


@attrs.frozen
class Column:
    """A field of a schema as a column; an array of texts has no `kind`."""

    name: str
    kind: Kind | None
    optional: bool

    @property
    def hive(self) -> str:
        """The type of the table's column."""
        return self.kind.hive if self.kind else "array<string>"

    @property
    def quoted(self) -> str:
        """Its name in SQL, which knows no capitals."""
        return f'"{self.name.lower()}"'

    def value(self, text: str | None) -> Any:
        """What the text of a value means, which is None for null.

        Raises:
            ValueError, LookupError, TypeError: it is no such value.
        """
        if text is None:
            if self.optional:
                return None
            raise ValueError("null where there is always a value")
        return self.kind.read(text) if self.kind else _texts(text)


@attrs.frozen
class Columns:
    """The columns of a table of records of one schema."""

    all: Sequence[Column]

    @classmethod
    def of(cls, schema: Schema) -> "Columns":
        """The columns for the fields of a schema.

        Raises:
            Fatal: a field has a type that was never brought through a query.
        """
        return cls([_column(field) for field in schema["fields"]])

    @cached_property
    def plain(self) -> Sequence[Column]:
        """The columns that go into one array of texts."""
        return [column for column in self.all if column.kind]

    @cached_property
    def arrays(self) -> Sequence[Column]:
        """The columns that are arrays themselves."""
        return [column for column in self.all if not column.kind]

    def select(self, table: str) -> str:
        """The query for every record of `table`."""
        texts = ", ".join(c.kind.expression.format(c.quoted) for c in self.plain if c.kind)
        asked = [f'CAST(ARRAY[{texts}] AS JSON) AS "{TEXTS}"']
        asked += [f"CAST({c.quoted} AS JSON) AS {c.quoted}" for c in self.arrays]
        return " ".join(["SELECT", ", ".join(asked), "FROM", f'"{table}"'])

    @property
    def head(self) -> str:
        """The first line of the result."""
        return ",".join([f'"{TEXTS}"', *(column.quoted for column in self.arrays)])

    def row(self, line: str) -> dict[str, Any]:
        """The record in a line of the result, by the names of the schema.

        Raises:
            ValueError, LookupError, TypeError: the line is none of such a query.
        """
        cells = self._line.fullmatch(line)
        if cells is None:
            raise ValueError("not a line of CSV")
        texts, *arrays = (cell and cell.replace('""', '"') for cell in cells.groups())
        given = [*zip(self.plain, _texts(texts or ""), strict=True)]
        given += zip(self.arrays, arrays, strict=True)
        return {column.name: column.value(text) for column, text in given}

    @cached_property
    def _line(self) -> re.Pattern[str]:
        return re.compile(",".join([_CELL] * (1 + len(self.arrays))), re.DOTALL)


def _column(field: Mapping[str, Any]) -> Column:
    kind = field["type"]
    optional = isinstance(kind, list) and len(kind) == 2 and "null" in kind
    if optional:
        (kind,) = (one for one in kind if one != "null")
    if isinstance(kind, Mapping):
        if kind.get("type") == "array" and kind.get("items") == "string":
            return Column(field["name"], None, optional)
        kind = kind.get("logicalType", kind.get("type"))
    if not isinstance(kind, str) or kind not in PLAIN:
        raise Fatal(f"{field['name']}: a type that merges by query do not know; add it to them")
    return Column(field["name"], PLAIN[kind], optional)


def _texts(text: str) -> list[str | None]:
    values = json.loads(text)
    if not isinstance(values, list):
        raise TypeError("not an array")
    return values
