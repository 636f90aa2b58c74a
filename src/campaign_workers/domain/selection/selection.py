"""Who may buy: candidates, quotas and options decide, nobody else, and anybody can check it."""

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
        picks: global_user_id, market_id, preference_rank (Int64, 0 is the first choice) and
            priority (Float64); sorted by market, then by the market's own order, best first.
        cutoffs: a row a market, sorted: market_id, limit, taken, filled, and of the last one in
            cutoff (the priority), cutoff_preference_rank and cutoff_lottery; these are null
            unless the market is filled and its limit above 0.
        audit: what an auditor needs besides the files; JSON-ready, without any personal value.
    """

    picks: pl.DataFrame = attrs.field(repr=False)
    cutoffs: pl.DataFrame
    audit: Mapping[str, Any]


def select_fans(
    candidates: pl.DataFrame, quotas: Sequence[MarketQuota], options: SelectionOptions
) -> Selection:
    """Give the places of each market to the eligible fans that the options prefer.

    Args:
        candidates: global_user_id (String), score (the priority score), market_ids (List of
            String, best first, at most 4), and optionally raw_score (default: score), verdict,
            previously_selected (Boolean) and phone; anything else is ignored. Any order of rows.
        quotas: the markets of the run; a limit of 0 takes nobody.
        options: the rules of the run and the seed of its lottery.

    Raises:
        BadInput: a column is missing or of another type; a fan without an id or twice, five
            markets or one market twice in a list (rows with verdict 1); a market with two quotas.
    """
    markets = quota_table(quotas)
    rows = parse_candidates(candidates, options)
    fans = rank_eligible(rows, options)
    mechanism = MECHANISMS[options.single_market, options.order_by_preference]
    wishes = _wishes(fans, markets)
    taken = _taken(fans, markets, accept_wishes(wishes, _room(markets, fans), mechanism))
    cutoffs = _cutoffs(markets, taken)
    picks = taken.select(list(PICK_TYPES))
    audit = {
        "format": FORMAT,
        "package": __version__,
        "options": options.wire(),
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


def _taken(fans: pl.DataFrame, markets: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    who = fans.select("global_user_id", "priority", "lottery")
    ordered = taken.sort("market", "place")
    return ordered.select(markets["market_id"].gather(ordered["market"]), "preference_rank").hstack(
        who[ordered["fan"]]
    )


def _cutoffs(markets: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    by_market = taken.group_by("market_id").agg(
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
