"""Lottery numbers that an auditor can recompute with `sha256sum`, and the seed's commitment.

The number of a fan is the top 53 bits of SHA-256(`{seed}:{campaignId}:{globalUserId}`), read as a
fraction of 2^53. No generator and no order of rows takes part, so that the number is the same on
every machine; the seed itself is chosen elsewhere, before registration opens.
"""

import hashlib

import polars as pl
from polars_hash import CryptographicHashingNameSpace

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.storage.layout import validate_key_id

DRAWN_BITS = 53
DRAWN_RANGE = 1 << DRAWN_BITS


def lottery_expr(
    global_user_id: pl.Expr, *, seed: str | pl.Expr, campaign_id: str | pl.Expr
) -> pl.Expr:
    """Return lottery numbers in [0,1) as an expression, for frames of one or several campaigns.

    Args:
        global_user_id: String; a null gives a null.
        seed: the campaign's secret, or the seed of each row; an empty one is allowed (tests, open
            draws).
        campaign_id: one id, or the column that holds it; a null gives a null.
    """
    campaign = pl.lit(campaign_id) if isinstance(campaign_id, str) else campaign_id
    beginning = [pl.lit(f"{seed}:")] if isinstance(seed, str) else [seed, pl.lit(":")]
    drawn = pl.concat_str(*beginning, campaign, pl.lit(":"), global_user_id)
    first_word = (
        CryptographicHashingNameSpace(drawn)
        .sha2_256()
        .str.head(16)
        .str.decode("hex")
        .bin.reinterpret(dtype=pl.UInt64, endianness="big")
    )
    return (first_word // (1 << 64 - DRAWN_BITS)).cast(pl.Float64) / DRAWN_RANGE


def lottery_numbers(global_user_ids: pl.Series, *, seed: str, campaign_id: str) -> pl.Series:
    """The Float64 lottery numbers in [0,1) of these fans, in their order; null for a null id.

    Raises:
        BadInput: the ids are not strings.
    """
    if global_user_ids.dtype not in (pl.String, pl.Null):
        raise BadInput("lottery numbers need ids that are strings", field="global_user_id")
    ids = global_user_ids.cast(pl.String).to_frame("id").lazy()
    numbers = ids.select(lottery_expr(pl.col("id"), seed=seed, campaign_id=campaign_id))
    return numbers.collect().to_series().alias(global_user_ids.name)


def commitment(seed: str) -> str:
    """The SHA-256 (hex) of the seed, to publish before the draw; the seed follows after it."""
    return hashlib.sha256(seed.encode()).hexdigest()


def seed_secret_name(campaign_id: str) -> str:
    """The name under which a campaign's seed is kept among the secrets."""
    return f"campaigns/{validate_key_id(campaign_id, 'campaignId')}/lottery-seed"
