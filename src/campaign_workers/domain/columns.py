"""The conventions of `cells`, for whole Polars columns."""

import polars as pl

from campaign_workers.domain.cells import LIST_SEPARATOR, NUMBER, RISKY


def guarded(column: pl.Expr) -> pl.Expr:
    """A text column as it is written into a CSV file (see `cells.guard`)."""
    risky = column.str.contains(RISKY) & ~column.str.contains(f"^(?-u:{NUMBER})$")
    return pl.when(risky).then(pl.concat_str(pl.lit("'"), column)).otherwise(column)


def unguarded(column: pl.Expr) -> pl.Expr:
    """A text column as it was meant, read from a CSV file (see `cells.unguard`)."""
    held = column.str.starts_with("'") & column.str.contains(RISKY)
    return pl.when(held).then(column.str.slice(1)).otherwise(column)


def joined(column: pl.Expr) -> pl.Expr:
    """A list column as one cell each."""
    return column.list.join(LIST_SEPARATOR)


def split(column: pl.Expr) -> pl.Expr:
    """The lists in a text column: trimmed, without empty items; null reads as the empty list."""
    items = column.fill_null("").str.split(LIST_SEPARATOR).list.eval(pl.element().str.strip_chars())
    return items.list.eval(pl.element().filter(pl.element() != ""))
