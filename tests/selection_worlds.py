"""Small campaigns to select from, full of ties, and slow obvious oracles that select from them."""

import hashlib
from collections import deque
from collections.abc import Mapping, Sequence

import attrs
import polars as pl
from hypothesis import strategies as st

from campaign_workers.domain.selection import (
    MarketQuota,
    Selection,
    SelectionOptions,
    select_fans,
)

IN_RUN = ("ams", "ber", "cph", "dub")
OUTSIDE = ("xxx", "yyy")
FOREIGN, AMERICAN = "+442071838750", "+12125550162"

Pick = tuple[str, str, int]
"""(fan, market, preference rank)."""


@attrs.frozen(kw_only=True)
class Fan:
    """A candidate row."""

    fan: str
    score: float | None
    markets: tuple[str, ...]
    raw_score: float | None = None
    verdict: int = 1
    previously_selected: bool = False
    phone: str = AMERICAN


@attrs.frozen(kw_only=True)
class World:
    """Everything that a selection depends on."""

    fans: tuple[Fan, ...]
    limits: Mapping[str, int]
    options: SelectionOptions

    def candidates(self) -> pl.DataFrame:
        """The fans as the frame that selection reads."""
        schema: dict[str, pl.DataType | type[pl.DataType]] = {
            "global_user_id": pl.String,
            "score": pl.Float64,
            "market_ids": pl.List(pl.String),
            "raw_score": pl.Float64,
            "verdict": pl.Int8,
            "previously_selected": pl.Boolean,
            "phone": pl.String,
        }
        return pl.DataFrame(
            [attrs.astuple(fan, recurse=False) for fan in self.fans], schema=schema, orient="row"
        )

    def select(self) -> Selection:
        """The selection under test."""
        quotas = [MarketQuota(market, limit) for market, limit in self.limits.items()]
        return select_fans(self.candidates(), quotas, self.options)

    def picks(self) -> set[Pick]:
        """The selection's picks, as tuples."""
        return picks_of(self.select())

    def lottery(self, fan: Fan) -> float:
        """The fan's lottery number, by hand."""
        text = f"{self.options.seed}:{self.options.campaign_id}:{fan.fan}"
        return (int(hashlib.sha256(text.encode()).hexdigest(), 16) >> 203) / 2**53

    def priority(self, fan: Fan) -> float:
        """What the fans are ordered by."""
        assert fan.score is not None
        return self.lottery(fan) if self.options.random_selection else fan.score

    def in_order(self) -> list[Fan]:
        """The eligible fans, best first."""
        eligible = [fan for fan in self.fans if self._is_eligible(fan)]
        return sorted(eligible, key=lambda fan: (-self.priority(fan), -self.lottery(fan), fan.fan))

    def _is_eligible(self, fan: Fan) -> bool:
        options = self.options
        if fan.verdict != 1 or fan.score is None:
            return False
        raw = fan.score if fan.raw_score is None else fan.raw_score
        if options.min_score is not None and raw < options.min_score:
            return False
        if options.max_score is not None and raw > options.max_score:
            return False
        if fan.previously_selected and not options.reassign:
            return False
        if options.exclude_intl_phone and fan.phone == FOREIGN:
            return False
        return any(market in self.limits for market in fan.markets)


def picks_of(selection: Selection) -> set[Pick]:
    """Picks as tuples, without their priorities."""
    rows = selection.picks.select("global_user_id", "market_id", "preference_rank").rows()
    return set(rows)


def slow_selection(world: World) -> set[Pick]:
    """What the options' mechanism gives, as its definition says it."""
    rules = (world.options.single_market, world.options.order_by_preference)
    return {
        (True, False): _serial_dictatorship,
        (True, True): _immediate_acceptance,
        (False, False): _each_market_by_priority,
        (False, True): _each_market_by_preference,
    }[rules](world)


def _serial_dictatorship(world: World) -> set[Pick]:
    room = dict(world.limits)
    picks = set()
    for fan in world.in_order():
        for rank, market in enumerate(fan.markets):
            if room.get(market, 0) > 0:
                room[market] -= 1
                picks.add((fan.fan, market, rank))
                break
    return picks


def _immediate_acceptance(world: World) -> set[Pick]:
    room = dict(world.limits)
    picks: dict[str, Pick] = {}
    for rank in range(4):
        for fan in world.in_order():
            if fan.fan in picks or len(fan.markets) <= rank:
                continue
            market = fan.markets[rank]
            if room.get(market, 0) > 0:
                room[market] -= 1
                picks[fan.fan] = (fan.fan, market, rank)
    return set(picks.values())


def _each_market_by_priority(world: World) -> set[Pick]:
    picks = set()
    for market, limit in world.limits.items():
        asking = [fan for fan in world.in_order() if market in fan.markets]
        picks |= {(fan.fan, market, fan.markets.index(market)) for fan in asking[:limit]}
    return picks


def _each_market_by_preference(world: World) -> set[Pick]:
    picks = set()
    for market, limit in world.limits.items():
        asking = [fan for fan in world.in_order() if market in fan.markets]
        asking.sort(key=lambda fan: fan.markets.index(market))
        picks |= {(fan.fan, market, fan.markets.index(market)) for fan in asking[:limit]}
    return picks


def deferred_acceptance(
    preferences: Mapping[str, Sequence[str]], order: Sequence[str], limits: Mapping[str, int]
) -> dict[str, str]:
    """Gale and Shapley's algorithm as textbooks print it: one free proposer at a time.

    `preferences` are the markets of each fan, `order` the fans as every market prefers them.
    """
    likes = {fan: place for place, fan in enumerate(order)}
    proposals = {fan: deque(m for m in preferences[fan] if m in limits) for fan in order}
    held: dict[str, list[str]] = {market: [] for market in limits}
    free = deque(reversed(order))
    while free:
        fan = free.popleft()
        if not proposals[fan]:
            continue
        holding = held[proposals[fan].popleft()]
        holding.append(fan)
        market = next(market for market, fans in held.items() if fans is holding)
        if len(holding) > limits[market]:
            rejected = max(holding, key=likes.__getitem__)
            holding.remove(rejected)
            free.append(rejected)
    return {fan: market for market, fans in held.items() for fan in fans}


scores = st.none() | st.sampled_from([0.0, 0.25, 0.5, 0.5000000001, 1.0])
wishes = st.lists(st.sampled_from(IN_RUN + OUTSIDE), max_size=4, unique=True).map(tuple)
limits = st.dictionaries(st.sampled_from(IN_RUN), st.integers(0, 4), max_size=4)
bounds = st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0])


@st.composite
def fan_lists(draw: st.DrawFn, *, most: int = 12) -> tuple[Fan, ...]:
    """Fans with distinct ids, most of them without anything that shuts them out."""
    ids = draw(st.lists(st.integers(0, 99), max_size=most, unique=True))
    plain = st.builds(Fan, fan=st.just(""), score=scores, markets=wishes)
    any_fan = st.builds(
        Fan,
        fan=st.just(""),
        score=scores,
        markets=wishes,
        raw_score=scores,
        verdict=st.sampled_from([1, 1, 0]),
        previously_selected=st.booleans(),
        phone=st.sampled_from([AMERICAN, FOREIGN, "", "no number"]),
    )
    return tuple(attrs.evolve(draw(plain | any_fan), fan=f"g{number}") for number in ids)


options = st.builds(
    SelectionOptions,
    campaign_id=st.sampled_from(["", "tour"]),
    single_market=st.booleans(),
    order_by_preference=st.booleans(),
    random_selection=st.booleans(),
    reassign=st.booleans(),
    min_score=bounds,
    max_score=bounds,
    exclude_intl_phone=st.booleans(),
    seed=st.sampled_from(["", "s3cret", "other"]),
)

worlds = st.builds(World, fans=fan_lists(), limits=limits, options=options)
"""Campaigns under any mechanism and any option."""

default_worlds = st.builds(
    World,
    fans=fan_lists(),
    limits=limits,
    options=st.builds(SelectionOptions, seed=st.sampled_from(["", "s3cret"])),
)
"""Campaigns under the default mechanism."""
