"""Canonical bytes of a table and their SHA-256, the same on every machine and in every version.

A row is the concatenation of its fields and a line feed. A text is `{bytes}:{UTF-8}`, a list
`{items}[` items `]`, a number that can be a fraction the 64 bits of its IEEE 754 double read as a
whole number, a whole number itself, true and false 1 and 0, each of these followed by `;`; a
missing value is `~`. Rows are sorted by one text column, then by their own bytes, both as UTF-8.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl

FORMAT: Final = 1
"""Version of the audit and of the canonical bytes."""

_ROWS_PER_UPDATE: Final = 50_000


def _text(column: pl.Expr) -> pl.Expr:
    return pl.concat_str(column.str.len_bytes(), pl.lit(":"), column)


def _whole(column: pl.Expr) -> pl.Expr:
    return pl.concat_str(column.cast(pl.Int64), pl.lit(";"))


def _double(column: pl.Expr) -> pl.Expr:
    return pl.concat_str(column.reinterpret(dtype=pl.UInt64), pl.lit(";"))


def _texts(column: pl.Expr) -> pl.Expr:
    items = column.list.eval(_encode(pl.element(), pl.String())).list.join("")
    return pl.concat_str(column.list.len(), pl.lit("["), items, pl.lit("]"))


_ENCODERS: Final[Mapping[type[pl.DataType], Callable[[pl.Expr], pl.Expr]]] = {
    pl.String: _text,
    pl.Int64: _whole,
    pl.Boolean: _whole,
    pl.Float64: _double,
    pl.List: _texts,
}


def _encode(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return _ENCODERS[type(dtype)](column).fill_null("~")


def canonical_rows(table: pl.DataFrame, *, by: str) -> pl.Series:
    """Return the rows as texts without their line feeds, in canonical order."""
    fields = [_encode(pl.col(name), dtype) for name, dtype in table.schema.items()]
    rows = table.select(by=pl.col(by), row=pl.concat_str(fields))
    return rows.sort("by", "row", nulls_last=False)["row"]


def fingerprint(table: pl.DataFrame, *, by: str) -> dict[str, Any]:
    """Return columns, number of rows and SHA-256 (hex) of a table.

    Args:
        table: columns of texts, numbers, flags and lists of texts.
        by: the text column by which rows are sorted first.
    """
    digest = hashlib.sha256()
    for chunk in canonical_rows(table, by=by).to_frame().iter_slices(_ROWS_PER_UPDATE):
        joined = chunk.select((pl.col("row") + "\n").str.join()).item()
        digest.update(joined.encode())
    return {"columns": table.columns, "rows": len(table), "sha256": digest.hexdigest()}
