"""Canonical JSON (RFC 8785) and stream records out of whole columns.

`dedupe` and `records` define both for one record; here millions of rows get the same bytes.
"""

from datetime import datetime
from typing import Final

import polars as pl
import rfc8785
from polars_hash import CryptographicHashingNameSpace

from campaign_workers.domain.records import iso_utc

_SHORT: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
}
_ESCAPES: Final = {chr(code): f"\\u{code:04x}" for code in range(0x20)} | _SHORT
_ESCAPED: Final = r'["\\\x00-\x1f]'

# Between these, whole numbers aside, Polars and ECMAScript print a double alike.
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
    canonical = canonical_objects(table.with_columns(type=pl.lit(record_type)))
    key = CryptographicHashingNameSpace(pl.col("canonical")).sha2_256().str.head(32)
    keyed = canonical.alias("canonical").to_frame().with_columns(dedupe_key=key)
    line = pl.concat_str(
        pl.col("canonical").str.head(-1),
        pl.lit(f',"created":"{iso_utc(created)}","dedupeKey":"'),
        pl.col("dedupe_key"),
        pl.lit('"}'),
    )
    return keyed.select(line=line, dedupe_key="dedupe_key")


def canonical_objects(table: pl.DataFrame) -> pl.Series:
    """The canonical JSON of each row, nulls left out; the names of the columns are ASCII."""
    members = [
        pl.concat_str(pl.lit(f'"{name}":'), _value(table[name])) for name in sorted(table.columns)
    ]
    joined = pl.concat_str(members, separator=",", ignore_nulls=True)
    return table.select(pl.concat_str(pl.lit("{"), joined, pl.lit("}"))).to_series()


def _value(column: pl.Series) -> pl.Expr | pl.Series:
    if column.dtype == pl.String:
        return _text(pl.col(column.name))
    if column.dtype == pl.List:
        items = pl.col(column.name).list.eval(_text(pl.element())).list.join(",")
        return pl.concat_str(pl.lit("["), items, pl.lit("]"))
    if column.dtype == pl.Float64:
        return _doubles(column)
    return pl.col(column.name).cast(pl.String)


def _text(column: pl.Expr) -> pl.Expr:
    escaped = column.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))
    safe = pl.when(column.str.contains(_ESCAPED)).then(escaped).otherwise(column)
    return pl.concat_str(pl.lit('"'), safe, pl.lit('"'))


def _doubles(column: pl.Series) -> pl.Series:
    printed = column.cast(pl.String).str.strip_suffix(".0")
    odd = column.is_not_null() & ~column.abs().is_between(*_ALIKE)
    rare = pl.Series(
        [rfc8785.dumps(number).decode() for number in column.filter(odd)], dtype=pl.String
    )
    return printed.scatter(odd.arg_true(), rare) if len(rare) else printed
