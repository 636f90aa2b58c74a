"""Lottery numbers that an auditor can recompute with `sha256sum`, and the seed's commitment.

The number of a fan is the top 53 bits of SHA-256(`{seed}:{campaignId}:{globalUserId}`), read as a
fraction of 2^53. It depends on neither a random generator nor the order of rows, so it is the same
on every machine. The seed is chosen elsewhere, before registration opens.
"""

import hashlib

import polars as pl
from polars_hash import CryptographicHashingNameSpace

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.storage.layout import validate_key_id

NUMBER_BITS = 53
NUMBER_RANGE = 1 << NUMBER_BITS


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
    hashed = pl.concat_str(*beginning, campaign, pl.lit(":"), global_user_id)
    first_word = (
        CryptographicHashingNameSpace(hashed)
        .sha2_256()
        .str.head(16)
        .str.decode("hex")
        .bin.reinterpret(dtype=pl.UInt64, endianness="big")
    )
    return (first_word // (1 << 64 - NUMBER_BITS)).cast(pl.Float64) / NUMBER_RANGE


def lottery_numbers(global_user_ids: pl.Series, *, seed: str, campaign_id: str) -> pl.Series:
    """Return the lottery number of each fan.

    Args:
        global_user_ids: the fans' ids, a String series.
        seed: the campaign's secret.
        campaign_id: the campaign of the draw.

    Returns:
        A Float64 series in [0,1), in the order of the ids; null for a null id.

    Raises:
        BadInput: the ids are not strings.

    Example:
        >>> import polars as pl
        >>> fans = pl.Series(["g1", "g2"])
        >>> lottery_numbers(fans, seed="s", campaign_id="tour").round(3).to_list()
        [0.25, 0.148]
    """
    if global_user_ids.dtype not in (pl.String, pl.Null):
        raise BadInput(f"expected strings, got {global_user_ids.dtype}", field="global_user_id")
    ids = global_user_ids.cast(pl.String).to_frame("id").lazy()
    numbers = ids.select(lottery_expr(pl.col("id"), seed=seed, campaign_id=campaign_id))
    return numbers.collect().to_series().alias(global_user_ids.name)


def commitment(seed: str) -> str:
    """Return the SHA-256 (hex) of the seed; publish it before the draw and the seed afterwards.

    Args:
        seed: the campaign's secret.

    Example:
        >>> commitment("s")[:12]
        '043a718774c5'
    """
    return hashlib.sha256(seed.encode()).hexdigest()


def seed_secret_name(campaign_id: str) -> str:
    """Return the name of the secret that holds a campaign's seed."""
    return f"campaigns/{validate_key_id(campaign_id, 'campaignId')}/lottery-seed"
