"""Uploads of scored fans of any size, the same for the same number of rows."""

from pathlib import Path
from typing import Final

import polars as pl

CAMPAIGN_ID: Final = "world-tour-2026"
MARKETS: Final = ("nyc", "nyc|lax", "chi|mia|mex", "sfo|nyc|lax|tor")
DOMAINS: Final = ("gmail.com", "yahoo.com", "outlook.com", "mailinator.com", "icloud.com")
AREAS: Final = ("212", "647", "310", "415")


def write_upload(path: Path, rows: int) -> None:
    """Write `rows` fans as a TSV with byte order mark and CRLF, a few percent of them dirty."""
    row = pl.int_range(rows, dtype=pl.UInt64).alias("row")
    # A multiplicative hash: plain arithmetic, the same with every version of every library.
    chance = (row * 2654435761 % 4294967296 // 8).alias("chance")
    fans = pl.select(row).with_columns(chance.alias("chance"))
    fans.select(
        globalUserId=pl.format("g-{}", _pad(pl.col("row"), 8)),
        memberId=pl.when(_one_in(10, 1)).then(None).otherwise(pl.format("m{}", "chance")),
        campaignId=pl.lit(CAMPAIGN_ID),
        email=pl.when(_one_in(97, 0))
        .then(pl.format("fan {} at gmail.com", "row"))
        .otherwise(pl.format("Fan.{}@{}", "row", _one_of(DOMAINS))),
        phone=_phone(),
        phoneType=pl.lit("mobile"),
        phoneConfirmed=pl.when(_one_in(12, 0)).then(None).otherwise(pl.lit("2026-09-01T02:42:00Z")),
        score=((pl.col("chance") % 1_000_000).cast(pl.Float64) / 1e6).round(6),
        marketIds=_one_of(MARKETS),
        firstName=pl.lit("María"),
        lastName=pl.lit("O'Neil"),
        locale=pl.lit("en-us"),
    ).write_csv(path, separator="\t", line_terminator="\r\n", include_bom=True)


def _phone() -> pl.Expr:
    local = _pad(pl.col("row") * 7919 % 10_000, 4)
    return (
        pl.when(_one_in(50, 0))
        .then(pl.lit("n/a"))
        .when(_one_in(20, 1))
        .then(pl.format("+4474008{}", _pad(pl.col("row") % 100_000, 5)))
        .when(_one_in(20, 2))
        .then(pl.format("(212) 5{}-{}", _pad(pl.col("row") // 10_000 % 100, 2), local))
        .otherwise(pl.format("+1{}{}", _one_of(AREAS), 2_000_000 + pl.col("row") % 7_000_000))
    )


def _one_in(many: int, which: int) -> pl.Expr:
    return pl.col("chance") % many == which


def _one_of(values: tuple[str, ...]) -> pl.Expr:
    return (pl.col("chance") % len(values)).replace_strict(dict(enumerate(values)))


def _pad(number: pl.Expr, digits: int) -> pl.Expr:
    return number.cast(pl.String).str.zfill(digits)
