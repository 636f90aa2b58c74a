"""Small campaigns to select from, and slow obvious oracles that select from them.

Most fans are eligible, ask for several markets and tie in score, and most markets have fewer places
than fans who ask for them.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

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

Mechanism = tuple[bool, bool]
"""(single market, order by preference)."""

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

    def under(self, mechanism: Mechanism) -> "World":
        """Return the same campaign under another mechanism."""
        single_market, order_by_preference = mechanism
        options = attrs.evolve(
            self.options, single_market=single_market, order_by_preference=order_by_preference
        )
        return attrs.evolve(self, options=options)

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
    """Return the picks of the options' mechanism, as its definition gives them."""
    _, select = MECHANISMS[world.options.single_market, world.options.order_by_preference]
    return select(world)


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


MECHANISMS: Final[Mapping[Mechanism, tuple[str, Callable[[World], set[Pick]]]]] = {
    (True, False): ("serialDictatorship", _serial_dictatorship),
    (True, True): ("immediateAcceptance", _immediate_acceptance),
    (False, False): ("eachMarketByPriority", _each_market_by_priority),
    (False, True): ("eachMarketByPreference", _each_market_by_preference),
}
"""The name and the oracle of each mechanism."""


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


def seldom(
    rare: st.SearchStrategy[Any], *, otherwise: st.SearchStrategy[Any], once_in: int = 5
) -> st.SearchStrategy[Any]:
    """Return a strategy that draws one case of `once_in` from `rare`."""
    return st.sampled_from([False] * (once_in - 1) + [True]).flatmap(
        lambda is_rare: rare if is_rare else otherwise
    )


scores = st.sampled_from([0.25, 0.5, 0.5, 0.5, 0.5000000001, 1.0])
limits = seldom(
    st.dictionaries(st.sampled_from(IN_RUN), st.sampled_from([0, 1, 4]), max_size=2),
    otherwise=st.dictionaries(
        st.sampled_from(IN_RUN), st.sampled_from([1, 1, 2, 2, 3, 0]), min_size=3, max_size=4
    ),
)
"""Places by market, mostly fewer than the fans who ask for them."""

wishes = st.lists(
    st.sampled_from(IN_RUN * 3 + OUTSIDE), min_size=2, max_size=4, unique=True
).map(tuple)  # fmt: skip

plain_fans = st.builds(
    Fan,
    fan=st.just(""),
    score=scores,
    markets=wishes,
    raw_score=seldom(st.sampled_from([0.0, 0.25, 0.5, 1.0]), otherwise=st.none(), once_in=3),
    phone=st.sampled_from([AMERICAN] * 5 + [FOREIGN, "", "no number"]),
)
"""Fans who take part unless the options of the run shut them out."""

odd_facts = st.one_of(
    st.fixed_dictionaries({"score": st.sampled_from([None, 0.0])}),
    st.fixed_dictionaries({"markets": st.sampled_from([(), ("xxx",), ("ams",), ("yyy", "ber")])}),
    st.fixed_dictionaries({"verdict": st.just(0)}),
    st.fixed_dictionaries({"previously_selected": st.just(value=True)}),
)
"""What shuts a fan out under most options."""


@st.composite
def fan_lists(draw: st.DrawFn) -> tuple[Fan, ...]:
    """Return fans with distinct ids: three of four plain, each other one odd in one way."""
    numbers = st.integers(0, 99)
    few = st.lists(numbers, max_size=5, unique=True)
    ids = draw(seldom(few, otherwise=st.lists(numbers, min_size=6, max_size=12, unique=True)))
    facts = seldom(odd_facts, otherwise=st.just({}), once_in=4)
    return tuple(attrs.evolve(draw(plain_fans), **draw(facts), fan=f"g{number}") for number in ids)


seeds = st.sampled_from(["", "s3cret", "other"])
campaign_ids = st.sampled_from(["", "tour"])

options = st.builds(
    SelectionOptions,
    campaign_id=campaign_ids,
    single_market=st.booleans(),
    order_by_preference=st.booleans(),
    random_selection=st.sampled_from([False, False, True]),
    seed=seeds,
) | st.builds(
    SelectionOptions,
    campaign_id=campaign_ids,
    single_market=st.booleans(),
    order_by_preference=st.booleans(),
    random_selection=st.booleans(),
    reassign=st.sampled_from([True, True, False]),
    min_score=st.sampled_from([None, 0.5, 0.5, 0.0]),
    max_score=st.sampled_from([None, None, 0.5, 0.5000000001]),
    exclude_intl_phone=st.sampled_from([True, True, False]),
    seed=seeds,
)

worlds = st.builds(World, fans=fan_lists(), limits=limits, options=options)
"""Campaigns under any mechanism and any option."""

default_worlds = st.builds(
    World, fans=fan_lists(), limits=limits, options=st.builds(SelectionOptions, seed=seeds)
)
"""Campaigns under the default mechanism."""
