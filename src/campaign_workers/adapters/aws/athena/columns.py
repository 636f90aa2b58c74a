"""Columns of a query over Avro records: their SQL and how to read them back from CSV.

CSV cannot distinguish null from an empty text, and values may contain line breaks. The query
therefore writes all plain values of a record as texts into one array and casts it to JSON, where
null is `null` and quotes and line breaks are escaped. Each array column is cast to JSON by itself.
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
"""Name of the result's first column: the plain values of a record."""

_AS_TEXT: Final = "CAST({} AS VARCHAR)"
_MILLISECONDS: Final = (
    "CAST(date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', {}) AS VARCHAR)"
)
_CELL: Final = r'(?:"([^"]*(?:""[^"]*)*)")?'


@attrs.frozen
class PlainType:
    """A plain type: its name in Hive, the SQL that makes it a text, and the parser of the text."""

    hive: str
    expression: str
    parse: Callable[[str], Any]


PLAIN: Final[Mapping[str, PlainType]] = {
    "string": PlainType("string", "{}", str),
    "boolean": PlainType("boolean", _AS_TEXT, {"true": True, "false": False}.__getitem__),
    "int": PlainType("int", _AS_TEXT, int),
    "long": PlainType("bigint", _AS_TEXT, int),
    "double": PlainType("double", _AS_TEXT, float),
    "timestamp-millis": PlainType("timestamp", _MILLISECONDS, int),
}
"""The supported plain types, by their names in Avro."""


@attrs.frozen
class Column:
    """A field of a schema as a column; `plain_type` is None for an array of strings."""

    name: str
    plain_type: PlainType | None
    optional: bool

    @property
    def hive(self) -> str:
        """The Hive type of the column."""
        return self.plain_type.hive if self.plain_type else "array<string>"

    @property
    def sql_name(self) -> str:
        """The quoted name in SQL, in lower case because Athena stores names so."""
        return f'"{self.name.lower()}"'

    def parse(self, text: str | None) -> Any:
        """Return the value that `text` stands for; None stands for null.

        Raises:
            ValueError, LookupError, TypeError: the text is not a value of this column.
        """
        if text is None:
            if self.optional:
                return None
            raise ValueError("null in a required field")
        return self.plain_type.parse(text) if self.plain_type else _parse_texts(text)


@attrs.frozen
class Columns:
    """The columns of a table of records of one schema."""

    all: Sequence[Column]

    @classmethod
    def from_schema(cls, schema: Schema) -> "Columns":
        """Return the columns for the fields of an Avro schema.

        Raises:
            Fatal: a field has a type that queries do not support.
        """
        return cls([_column(field) for field in schema["fields"]])

    @cached_property
    def plain(self) -> Sequence[Column]:
        """The columns that share one array of texts."""
        return [column for column in self.all if column.plain_type]

    @cached_property
    def arrays(self) -> Sequence[Column]:
        """The columns that are arrays themselves."""
        return [column for column in self.all if not column.plain_type]

    def select(self, table: str) -> str:
        """Return the SQL that selects every record of `table`."""
        texts = ", ".join(
            c.plain_type.expression.format(c.sql_name) for c in self.plain if c.plain_type
        )
        selected = [f'CAST(ARRAY[{texts}] AS JSON) AS "{TEXTS}"']
        selected += [f"CAST({c.sql_name} AS JSON) AS {c.sql_name}" for c in self.arrays]
        return " ".join(["SELECT", ", ".join(selected), "FROM", f'"{table}"'])

    @property
    def header(self) -> str:
        """The header line of the result."""
        return ",".join([f'"{TEXTS}"', *(column.sql_name for column in self.arrays)])

    def parse_row(self, line: str) -> dict[str, Any]:
        """Return the record in a line of the result, by the field names of the schema.

        Raises:
            ValueError, LookupError, TypeError: the line is malformed.
        """
        cells = self._line.fullmatch(line)
        if cells is None:
            raise ValueError("not a line of CSV")
        texts, *arrays = (cell and cell.replace('""', '"') for cell in cells.groups())
        cells_by_column = [*zip(self.plain, _parse_texts(texts or ""), strict=True)]
        cells_by_column += zip(self.arrays, arrays, strict=True)
        return {column.name: column.parse(text) for column, text in cells_by_column}

    @cached_property
    def _line(self) -> re.Pattern[str]:
        return re.compile(",".join([_CELL] * (1 + len(self.arrays))), re.DOTALL)


def _column(field: Mapping[str, Any]) -> Column:
    avro_type = field["type"]
    optional = isinstance(avro_type, list) and len(avro_type) == 2 and "null" in avro_type
    if optional:
        (avro_type,) = (branch for branch in avro_type if branch != "null")
    if isinstance(avro_type, Mapping):
        if avro_type.get("type") == "array" and avro_type.get("items") == "string":
            return Column(field["name"], None, optional)
        avro_type = avro_type.get("logicalType", avro_type.get("type"))
    if not isinstance(avro_type, str) or avro_type not in PLAIN:
        raise Fatal(f"{field['name']}: merging by query does not support its type; add it to PLAIN")
    return Column(field["name"], PLAIN[avro_type], optional)


def _parse_texts(text: str) -> list[str | None]:
    values = json.loads(text)
    if not isinstance(values, list):
        raise TypeError("not an array")
    return values
