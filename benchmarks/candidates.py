"""Candidates of a wave, of any number."""

import polars as pl

from campaign_workers.domain.preparation.wave_files import FAN_COLUMNS

MARKETS = ("nyc", "lax", "chi", "mia", "sfo")


def candidates(rows: int) -> pl.DataFrame:
    """Fans of the entry service, in an order that says nothing of their scores."""
    row = pl.int_range(rows, dtype=pl.UInt64, eager=True).alias("row").to_frame()
    # A multiplicative hash: plain arithmetic, the same with every version of every library.
    chance = pl.col("row") * 2654435761 % 4294967296
    number = pl.col("row").cast(pl.String).str.zfill(8)
    first, second = (_market(chance // part) for part in (8, 8 * len(MARKETS)))
    score = (chance % 1_000_000).cast(pl.Float64) / 1e6
    fans = row.select(
        global_user_id=pl.format("g-{}", number),
        member_id=pl.format("m{}", "row"),
        email=pl.format("Fan.{}@mail.example", "row"),
        phone=pl.format("+1212{}", 5_550_000 + pl.col("row") % 10_000),
        first_name=pl.lit("María"),
        last_name=pl.lit("O'Neil"),
        locale=pl.lit("en-us"),
        market_ids=pl.concat_list(first, second).list.unique(maintain_order=True),
        raw_score=score,
        score=score,
        verdict=pl.lit(1, dtype=pl.Int8),
        previously_selected=pl.lit(value=False),
        opt_in_sms=chance % 5 != 0,
        codes=pl.lit([], dtype=FAN_COLUMNS["codes"]),
    )
    return fans.select(list(FAN_COLUMNS))


def _market(number: pl.Expr) -> pl.Expr:
    return (number % len(MARKETS)).replace_strict(dict(enumerate(MARKETS)))
