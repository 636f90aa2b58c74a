"""Canonical JSON (RFC 8785) and stream records from whole columns.

The bytes are those that `record` defines for one record, for millions of rows at once.
"""

import re
from datetime import datetime
from typing import Final

import polars as pl
import rfc8785
from polars_hash import CryptographicHashingNameSpace

from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.wire import to_camel

# In this range Polars and ECMAScript print doubles alike, except for the `.0` of whole numbers.
_PRINTED_ALIKE: Final = (1e-4, 1e15)


def record_lines(table: pl.DataFrame, record_type: str, created: datetime) -> pl.DataFrame:
    """Return a stream record for each row.

    Args:
        table: a column for each field, its name in snake_case or as on the wire: String, Int64,
            Float64, Boolean or List of String. Texts are stripped, whole numbers within 2^53,
            doubles finite; a null is an absent field.
        record_type: the value of `type`.
        created: the value of `created`, which the dedupe key does not cover.

    Returns:
        Columns `line` (JSON) and `dedupe_key`.
    """
    fields = table.rename({name: to_camel(name) for name in table.columns})
    canonical = canonical_json_rows(fields.with_columns(type=pl.lit(record_type)))
    key = CryptographicHashingNameSpace(pl.col("canonical")).sha2_256().str.head(32)
    keyed = canonical.alias("canonical").to_frame().with_columns(dedupe_key=key)
    line = pl.concat_str(
        pl.col("canonical").str.strip_suffix("}"),
        pl.lit(f',"created":"{iso_utc(created)}","dedupeKey":"'),
        pl.col("dedupe_key"),
        pl.lit('"}'),
    )
    return keyed.select(line=line, dedupe_key="dedupe_key")


def canonical_json_rows(table: pl.DataFrame) -> pl.Series:
    """Return the canonical JSON of each row without nulls; column names must be ASCII."""
    table = table.select(sorted(table.columns))
    objects = table.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    objects = _shorten_whole_doubles(_remove_nulls(objects, table), table)
    rows = _rows_to_reencode(table)
    if rows.is_empty():
        return objects
    return objects.scatter(rows, [_encode_row(row) for row in table[rows].iter_rows(named=True)])


# Strings contain no unescaped quote, so these patterns match members only.


def _remove_nulls(objects: pl.Series, table: pl.DataFrame) -> pl.Series:
    first, *others = table.columns
    if names := [name for name in others if table[name].null_count()]:
        objects = objects.str.replace_all(f',"(?:{_alternatives(names)})":null', "")
    if table[first].null_count():
        objects = objects.str.replace(rf'^\{{"{re.escape(first)}":null,?', "{")
    return objects


def _shorten_whole_doubles(objects: pl.Series, table: pl.DataFrame) -> pl.Series:
    names = [
        column.name for column in table if column.dtype == pl.Float64 and _has_whole_number(column)
    ]
    if not names:
        return objects
    return objects.str.replace_all(rf'("(?:{_alternatives(names)})":-?[0-9]+)\.0([,}}])', "$1$2")


def _has_whole_number(column: pl.Series) -> bool:
    return bool((column == column.round()).any())


def _alternatives(names: list[str]) -> str:
    return "|".join(map(re.escape, names))


def _rows_to_reencode(table: pl.DataFrame) -> pl.Series:
    """Return the rows with a double that Polars and ECMAScript print differently."""
    doubles = pl.col(pl.Float64)
    is_positive_zero = (doubles == 0) & (1 / doubles > 0)
    differs = pl.any_horizontal(
        pl.lit(value=False), ~(doubles.abs().is_between(*_PRINTED_ALIKE) | is_positive_zero)
    )
    return table.select(differs.fill_null(value=False)).to_series().arg_true()


def _encode_row(row: dict[str, object]) -> str:
    present = {name: value for name, value in row.items() if value is not None}
    return rfc8785.dumps(present).decode()  # type: ignore[arg-type]
