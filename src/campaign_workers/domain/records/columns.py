"""Canonical JSON (RFC 8785) and stream records out of whole columns.

`dedupe` and `records` define both for one record; here millions of rows get the same bytes.
"""

import re
from datetime import datetime
from typing import Final

import polars as pl
import rfc8785
from polars_hash import CryptographicHashingNameSpace

from campaign_workers.domain.records.types import iso_utc

# Between these Polars and ECMAScript print a double alike, but for the `.0` of whole numbers.
_ALIKE: Final = (1e-4, 1e15)


def record_lines(table: pl.DataFrame, record_type: str, created: datetime) -> pl.DataFrame:
    """A stream record a row: columns `line` (JSON) and `dedupe_key`.

    Args:
        table: a column a field, by its name on the wire: String, Int64, Float64, Boolean or List
            of String; texts trimmed, whole numbers within 2^53, doubles finite. A null is an
            absent field.
        record_type: what goes into `type`.
        created: what goes into `created`, which the key does not cover.
    """
    canonical = canonical_json_rows(table.with_columns(type=pl.lit(record_type)))
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
    """The canonical JSON of each row, nulls left out; the names of the columns are ASCII."""
    table = table.select(sorted(table.columns))
    objects = table.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    objects = _with_whole_doubles(_without_nulls(objects, table), table)
    rows = _rows_printed_otherwise(table)
    if rows.is_empty():
        return objects
    return objects.scatter(rows, [_canonical(row) for row in table[rows].iter_rows(named=True)])


# Inside a text every quote is escaped: what follows finds members alone.


def _without_nulls(objects: pl.Series, table: pl.DataFrame) -> pl.Series:
    first, *others = table.columns
    if names := [name for name in others if table[name].null_count()]:
        objects = objects.str.replace_all(f',"(?:{_any(names)})":null', "")
    if table[first].null_count():
        objects = objects.str.replace(rf'^\{{"{re.escape(first)}":null,?', "{")
    return objects


def _with_whole_doubles(objects: pl.Series, table: pl.DataFrame) -> pl.Series:
    names = [column.name for column in table if column.dtype == pl.Float64 and _any_whole(column)]
    if not names:
        return objects
    return objects.str.replace_all(rf'("(?:{_any(names)})":-?[0-9]+)\.0([,}}])', "$1$2")


def _any_whole(column: pl.Series) -> bool:
    return bool((column == column.round()).any())


def _any(names: list[str]) -> str:
    return "|".join(map(re.escape, names))


def _rows_printed_otherwise(table: pl.DataFrame) -> pl.Series:
    """Numbers of the rows with a double that Polars and ECMAScript print differently."""
    doubles = pl.col(pl.Float64)
    plain_zero = (doubles == 0) & (1 / doubles > 0)
    odd = pl.any_horizontal(pl.lit(value=False), ~(doubles.abs().is_between(*_ALIKE) | plain_zero))
    return table.select(odd.fill_null(value=False)).to_series().arg_true()


def _canonical(row: dict[str, object]) -> str:
    present = {name: value for name, value in row.items() if value is not None}
    return rfc8785.dumps(present).decode()  # type: ignore[arg-type]
