"""Four mechanisms as one algorithm: fans ask, markets keep their best, the others ask again.

All four are deferred acceptance; they differ in whom a market prefers and in whether a fan asks
one market at a time. With one order of all fans it gives what serial dictatorship gives, with
the preference rank before that order what immediate acceptance gives. Whole columns ask at once:
a round costs a few passes over the wishes that are still open, and a market that turns somebody
away sets a cut-off that closes every wish below it.
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
    """`place` orders the fans of a market, smaller is better; `one_market` if fans get only one."""

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
    """The wishes that come true, with their `place` in the market's order.

    Args:
        wishes: `fan` (the position in the order of all fans), `preference_rank` and `market` (an
            index into `limits`); sorted by fan, then preference rank.
        limits: how many each market takes.
        mechanism: whom a market prefers, and whether fans get only one.
    """
    has_room = limits.gather(wishes["market"]) > 0
    still_open = wishes.filter(has_room).with_columns(place=mechanism.place)
    while True:
        asked = _first_of_each_fan(still_open) if mechanism.one_market else still_open
        cut_offs = _cut_offs(asked, limits)
        if cut_offs.null_count() == len(cut_offs):
            return asked
        within = still_open["place"] <= cut_offs.gather(still_open["market"])
        still_open = still_open.filter(within.fill_null(value=True))


def _first_of_each_fan(wishes: pl.DataFrame) -> pl.DataFrame:
    return wishes.filter(pl.col("fan").ne_missing(pl.col("fan").shift()))


def _cut_offs(asked: pl.DataFrame, limits: pl.Series) -> pl.Series:
    """The last place that each market can take; null where it has room for all who ask."""
    asking = asked["market"].value_counts()
    is_crowded = asking["count"] > limits.gather(asking["market"])
    crowd = asked.filter(pl.col("market").is_in(asking.filter(is_crowded)["market"].implode()))
    last = (
        crowd.with_columns(limit=limits.gather(crowd["market"]))
        .group_by("market")
        .agg(pl.col("place").sort().get(pl.col("limit").first() - 1))
    )
    markets = pl.DataFrame({"market": pl.int_range(len(limits), dtype=pl.UInt32, eager=True)})
    return markets.join(last, on="market", how="left", maintain_order="left")["place"]
