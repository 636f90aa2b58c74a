"""Four mechanisms as one algorithm, deferred acceptance in whole columns.

Fans apply to markets, markets keep the applicants that they prefer, and the others apply again. The
mechanisms differ in whom a market prefers, and in whether a fan applies to one market at a time.
If all markets order fans alike, the result is that of serial dictatorship; if the preference rank
comes before that order, it is that of immediate acceptance. All fans apply at the same time: a
round takes a few passes over the open wishes, and a market that rejects an applicant sets a
cut-off that closes every wish below it.
"""

from collections.abc import Mapping
from typing import Final

import attrs
import polars as pl

Rules = tuple[bool, bool]
"""(single market, order by preference)."""

_BY_PRIORITY: Final = pl.col("fan").cast(pl.UInt64)
_BY_PREFERENCE: Final = pl.col("preference_rank").cast(pl.UInt64) * 2**32 + _BY_PRIORITY


@attrs.frozen
class Mechanism:
    """A rule of selection.

    Attributes:
        name: its name in the audit.
        one_market: whether a fan gets a place in one market at most.
        place: orders the applicants of a market; smaller is better.
    """

    name: str
    one_market: bool
    place: pl.Expr = attrs.field(eq=False, repr=False)


MECHANISMS: Final[Mapping[Rules, Mechanism]] = {
    (True, False): Mechanism("serialDictatorship", one_market=True, place=_BY_PRIORITY),
    (True, True): Mechanism("immediateAcceptance", one_market=True, place=_BY_PREFERENCE),
    (False, False): Mechanism("eachMarketByPriority", one_market=False, place=_BY_PRIORITY),
    (False, True): Mechanism("eachMarketByPreference", one_market=False, place=_BY_PREFERENCE),
}


def accept_wishes(wishes: pl.DataFrame, limits: pl.Series, mechanism: Mechanism) -> pl.DataFrame:
    """Return the wishes that are granted, with their `place` in the market's order.

    Args:
        wishes: `fan` (the position in the order of all fans), `preference_rank` and `market` (an
            index into `limits`); sorted by fan, then preference rank.
        limits: how many fans each market takes.
        mechanism: the rule of selection.
    """
    has_room = limits.gather(wishes["market"]) > 0
    still_open = wishes.filter(has_room).with_columns(place=mechanism.place)
    while True:
        applied = _first_of_each_fan(still_open) if mechanism.one_market else still_open
        cut_offs = _cut_offs(applied, limits)
        if cut_offs.null_count() == len(cut_offs):
            return applied
        within = still_open["place"] <= cut_offs.gather(still_open["market"])
        still_open = still_open.filter(within.fill_null(value=True))


def _first_of_each_fan(wishes: pl.DataFrame) -> pl.DataFrame:
    return wishes.filter(pl.col("fan").ne_missing(pl.col("fan").shift()))


def _cut_offs(applied: pl.DataFrame, limits: pl.Series) -> pl.Series:
    """Return the last place that each market can take; null if it has room for all applicants."""
    counts = applied["market"].value_counts()
    is_crowded = counts["count"] > limits.gather(counts["market"])
    crowded = counts.filter(is_crowded)["market"]
    crowd = applied.filter(pl.col("market").is_in(crowded.implode()))
    last = (
        crowd.with_columns(limit=limits.gather(crowd["market"]))
        .group_by("market")
        .agg(pl.col("place").sort().get(pl.col("limit").first() - 1))
    )
    markets = pl.DataFrame({"market": pl.int_range(len(limits), dtype=pl.UInt32, eager=True)})
    return markets.join(last, on="market", how="left", maintain_order="left")["place"]
