"""Selection: candidates, quotas and options determine who may buy, and an audit can verify it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers import __version__
from campaign_workers.domain.lottery import commitment
from campaign_workers.domain.selection.candidates import parse_candidates, rank_eligible
from campaign_workers.domain.selection.fingerprints import FORMAT, fingerprint
from campaign_workers.domain.selection.mechanisms import MECHANISMS, accept_wishes
from campaign_workers.domain.selection.options import MarketQuota, SelectionOptions, quota_table

PICK_TYPES: Final[Mapping[str, pl.DataType]] = {
    "global_user_id": pl.String(),
    "market_id": pl.String(),
    "preference_rank": pl.Int64(),
    "priority": pl.Float64(),
}


@attrs.frozen(kw_only=True)
class Selection:
    """The outcome of a selection.

    Attributes:
        picks: columns global_user_id, market_id, preference_rank (Int64, 0 is the first choice)
            and priority (Float64); sorted by market, then by the market's order, best first.
        cutoffs: a row for each market, sorted by market: market_id, limit, taken, filled, and for
            the last fan taken cutoff (the priority), cutoff_preference_rank and cutoff_lottery.
            These three are null unless the market is filled and its limit is above 0.
        audit: what an auditor needs in addition to the files; JSON-ready, without personal data.
    """

    picks: pl.DataFrame = attrs.field(repr=False)
    cutoffs: pl.DataFrame
    audit: Mapping[str, Any]


def select_fans(
    candidates: pl.DataFrame, quotas: Sequence[MarketQuota], options: SelectionOptions
) -> Selection:
    """Give the places of each market to the eligible fans that the options prefer.

    Args:
        candidates: global_user_id (String), score (the priority score), market_ids
            (List[String], best first, at most 4), and optionally raw_score (default: score),
            verdict, previously_selected (Boolean) and phone. Other columns are ignored, and the
            order of rows does not matter.
        quotas: the markets of the run and their places.
        options: the options of the run and the seed of its lottery.

    Returns:
        The picks, the cut-off of each market, and the audit.

    Raises:
        BadInput: a column is missing or has another type; a row with verdict 1 has no id, an id
            that occurs twice, more than four markets or a market twice; or a market has two
            quotas.

    Example:
        >>> import polars as pl
        >>> candidates = pl.DataFrame(
        ...     {
        ...         "global_user_id": ["ann", "bob", "cyd"],
        ...         "score": [0.9, 0.8, 0.7],
        ...         "market_ids": [["nyc"], ["nyc", "chi"], ["chi"]],
        ...     }
        ... )
        >>> quotas = [MarketQuota("nyc", 1), MarketQuota("chi", 1)]
        >>> selection = select_fans(candidates, quotas, SelectionOptions(seed="s"))
        >>> selection.picks.select("global_user_id", "market_id").rows()
        [('bob', 'chi'), ('ann', 'nyc')]
    """
    markets = quota_table(quotas)
    rows = parse_candidates(candidates, options)
    fans = rank_eligible(rows, options)
    mechanism = MECHANISMS[options.single_market, options.order_by_preference]
    wishes = _wishes(fans, markets)
    picks = _rank_picks(fans, markets, accept_wishes(wishes, _room(markets, fans), mechanism))
    cutoffs = _cutoffs(markets, picks)
    picks = picks.select(list(PICK_TYPES))
    audit = {
        "format": FORMAT,
        "package": __version__,
        "options": options.to_json(),
        "mechanism": mechanism.name,
        "seedCommitment": commitment(options.seed),
        "candidates": fingerprint(rows, by="global_user_id"),
        "quotas": fingerprint(markets, by="market_id"),
        "eligible": wishes["fan"].n_unique(),
        "picks": fingerprint(picks, by="market_id"),
        "cutoffs": cutoffs.to_dicts(),
    }
    return Selection(picks=picks, cutoffs=cutoffs, audit=audit)


def _wishes(fans: pl.DataFrame, markets: pl.DataFrame) -> pl.DataFrame:
    index = markets.select("market_id").with_row_index("market")
    wanted = pl.col("market_ids").list
    return (
        fans.lazy()
        .select("market_ids", preference_rank=pl.int_ranges(wanted.len(), dtype=pl.Int64))
        .with_row_index("fan")
        .explode("market_ids", "preference_rank")
        .join(index.lazy(), left_on="market_ids", right_on="market_id", maintain_order="left")
        .select("fan", "preference_rank", "market")
        .collect()
    )


def _room(markets: pl.DataFrame, fans: pl.DataFrame) -> pl.Series:
    return markets["limit"].clip(0, len(fans))


def _rank_picks(fans: pl.DataFrame, markets: pl.DataFrame, wishes: pl.DataFrame) -> pl.DataFrame:
    winners = fans.select("global_user_id", "priority", "lottery")
    ordered = wishes.sort("market", "place")
    return ordered.select(markets["market_id"].gather(ordered["market"]), "preference_rank").hstack(
        winners[ordered["fan"]]
    )


def _cutoffs(markets: pl.DataFrame, picks: pl.DataFrame) -> pl.DataFrame:
    by_market = picks.group_by("market_id").agg(
        pl.len().cast(pl.Int64).alias("taken"),
        pl.col("priority").last().alias("cutoff"),
        pl.col("preference_rank").last().alias("cutoff_preference_rank"),
        pl.col("lottery").last().alias("cutoff_lottery"),
    )
    counted = markets.join(by_market, on="market_id", how="left", maintain_order="left")
    counted = counted.with_columns(pl.col("taken").fill_null(0))
    filled = pl.col("taken") == pl.col("limit")
    last = ("cutoff", "cutoff_preference_rank", "cutoff_lottery")
    return counted.select(
        "market_id", "limit", "taken", filled.alias("filled"), pl.when(filled).then(pl.col(last))
    )
