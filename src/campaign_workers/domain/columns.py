"""The conventions of `cells`, for whole Polars columns."""

from typing import Final

import polars as pl

from campaign_workers.domain.cells import LIST_SEPARATOR, NUMBER, RISKY

WHITESPACE: Final = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""What Python's `str.strip` takes off; Polars by itself leaves four separators of it."""


def trimmed(column: pl.Expr) -> pl.Expr:
    """A text column as `str.strip` leaves each text."""
    return column.str.strip_chars(WHITESPACE)


def one_zero(number: pl.Expr) -> pl.Expr:
    """A column of doubles whose minus zeros are zeros: equal numbers are then equal bytes too."""
    # Adding zero would say it shorter, but Polars leaves such a sum out.
    return pl.when(number == 0).then(0.0).otherwise(number)


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
    items = column.fill_null("").str.split(LIST_SEPARATOR).list.eval(trimmed(pl.element()))
    return items.list.eval(pl.element().filter(pl.element() != ""))
