"""The laws of selection, one property each, under all mechanisms or the default one."""

import json
import random
from itertools import permutations

import attrs
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from campaign_workers.domain.selection import SelectionOptions
from tests.selection_situations import situations_of
from tests.selection_worlds import (
    IN_RUN,
    MECHANISMS,
    OUTSIDE,
    Fan,
    Mechanism,
    World,
    default_worlds,
    deferred_acceptance,
    picks_of,
    slow_selection,
    worlds,
)
from tests.situations import assert_reached

REACHED = {
    "an eligible fan": 0.7,
    "a filled market": 0.5,
    "an unserved eligible fan": 0.3,
    "a later choice": 0.4,
    "the lottery decides a tie": 0.1,
    "a market with places left": 0.1,
    "a wanted market without places": 0.15,
    "random selection": 0.15,
    "no verdict": 0.1,
    "no score": 0.1,
    "no market of the run": 0.15,
    "selected before": 0.07,
    "selected again": 0.03,
    "a foreign phone is out": 0.08,
    "outside the bounds": 0.1,
    "the raw score decides": 0.06,
    "serialDictatorship is not immediateAcceptance": 0.12,
    "serialDictatorship is not eachMarketByPriority": 0.4,
    "serialDictatorship is not eachMarketByPreference": 0.4,
    "immediateAcceptance is not eachMarketByPriority": 0.4,
    "immediateAcceptance is not eachMarketByPreference": 0.3,
    "eachMarketByPriority is not eachMarketByPreference": 0.3,
}
"""The least share of campaigns in which each situation of the laws below occurs."""


def test_campaigns_reach_every_situation() -> None:
    """Markets fill, fans tie and are shut out, and the mechanisms differ, in many campaigns."""
    assert_reached(worlds, situations_of, REACHED)


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=[name for name, _ in MECHANISMS.values()])
@given(world=worlds)
def test_each_mechanism_is_its_definition(mechanism: Mechanism, world: World) -> None:
    """The picks are those of the slow oracle that follows the mechanism's definition."""
    world = world.under(mechanism)
    for situation in situations_of(world):
        event(situation)
    assert slow_selection(world) == world.picks()


@given(worlds)
def test_no_quota_is_exceeded(world: World) -> None:
    """No market takes more fans than its limit, nor one that has no quota any."""
    taken = [market for _, market, _ in world.picks()]
    assert all(taken.count(market) <= world.limits[market] for market in taken)


@given(worlds)
def test_a_fan_is_picked_for_wanted_markets_only_and_once(world: World) -> None:
    """A pick names a market of the fan's list at its place; a single-market fan has one pick."""
    picks = world.picks()
    lists = {fan.fan: fan.markets for fan in world.fans}
    assert all(lists[fan][rank] == market for fan, market, rank in picks)
    if world.options.single_market:
        assert len({fan for fan, _, _ in picks}) == len(picks)


@given(worlds)
def test_no_seat_is_empty_while_an_unserved_fan_wants_it(world: World) -> None:
    """Where seats are left, every eligible fan who wants the market has been served."""
    picks = world.picks()
    served = {(fan, market) for fan, market, _ in picks}
    with_any = {fan for fan, _ in served}
    for market, limit in world.limits.items():
        if sum(place == market for _, place, _ in picks) < limit:
            for fan in world.in_order():
                is_served = (
                    fan.fan in with_any
                    if world.options.single_market
                    else (fan.fan, market) in served
                )
                assert is_served or market not in fan.markets


@given(worlds, st.randoms(use_true_random=False))
def test_input_order_changes_nothing(world: World, shuffler: random.Random) -> None:
    """Shuffled candidates and quotas give the same picks, cut-offs and audit, byte for byte."""
    fans, quotas = list(world.fans), list(world.limits.items())
    shuffler.shuffle(fans)
    shuffler.shuffle(quotas)
    shuffled = attrs.evolve(world, fans=tuple(fans), limits=dict(quotas))
    assert as_bytes(world) == as_bytes(shuffled)


@given(worlds)
def test_the_same_input_gives_the_same_bytes(world: World) -> None:
    """Selecting twice gives identical picks, cut-offs and audit."""
    assert as_bytes(world) == as_bytes(world)


def as_bytes(world: World) -> tuple[str, str, str]:
    selection = world.select()
    return (
        selection.picks.write_csv(),
        selection.cutoffs.write_csv(),
        json.dumps(dict(selection.audit)),
    )


@given(worlds, st.data())
def test_raising_a_quota_takes_nobody_out(world: World, data: st.DataObject) -> None:
    """Whoever is selected still is when some market gets more seats."""
    extra = data.draw(st.dictionaries(st.sampled_from(IN_RUN), st.integers(0, 3)))
    roomier = {market: limit + extra.get(market, 0) for market, limit in world.limits.items()}
    before, after = world.picks(), attrs.evolve(world, limits=roomier).picks()
    assert {fan for fan, _, _ in before} <= {fan for fan, _, _ in after}
    if not world.options.single_market:
        assert before <= after


@given(worlds, st.data())
def test_raising_a_quota_makes_nobody_worse_off(world: World, data: st.DataObject) -> None:
    """With more seats somewhere, no fan ends with a market further down the list."""
    extra = data.draw(st.dictionaries(st.sampled_from(IN_RUN), st.integers(0, 3)))
    roomier = {market: limit + extra.get(market, 0) for market, limit in world.limits.items()}
    before, after = (best_ranks(each) for each in (world, attrs.evolve(world, limits=roomier)))
    assert all(after[fan] <= rank for fan, rank in before.items())


def best_ranks(world: World) -> dict[str, int]:
    ranks: dict[str, int] = {}
    for fan, _, rank in world.picks():
        ranks[fan] = min(rank, ranks.get(fan, rank))
    return ranks


@given(default_worlds)
def test_nobody_has_justified_envy(world: World) -> None:
    """Who wants a market more than what they got finds it full of fans before them."""
    ranks = {fan: (market, rank) for fan, market, rank in world.picks()}
    in_order = [fan.fan for fan in world.in_order()]
    for place, fan in enumerate(world.in_order()):
        got = ranks[fan.fan][1] if fan.fan in ranks else len(fan.markets)
        for wanted in fan.markets[:got]:
            holders = [other for other, (market, _) in ranks.items() if market == wanted]
            assert all(in_order.index(other) < place for other in holders)


def random_world(chance: random.Random) -> World:
    fans = tuple(
        Fan(
            fan=f"g{number}",
            score=chance.choice([0.1, 0.2, 0.3, chance.random()]),
            markets=tuple(chance.sample(IN_RUN + OUTSIDE, chance.randint(0, 4))),
        )
        for number in range(chance.randint(0, 40))
    )
    limits = {market: chance.randint(0, 8) for market in IN_RUN}
    return World(fans=fans, limits=limits, options=SelectionOptions(seed=str(chance.random())))


@pytest.mark.parametrize("part", range(5))
def test_the_default_mechanism_is_deferred_acceptance(part: int) -> None:
    """On 500 random campaigns the picks are those of the textbook algorithm."""
    chance = random.Random(part)
    for _ in range(100):
        world = random_world(chance)
        order = world.in_order()
        matched = deferred_acceptance(
            {fan.fan: fan.markets for fan in order}, [fan.fan for fan in order], world.limits
        )
        assert matched == {fan: market for fan, market, _ in world.picks()}


ALL_LISTS = [wanted for length in range(4) for wanted in permutations(IN_RUN[:3], length)]


@settings(max_examples=15)
@given(default_worlds, st.data())
def test_nobody_gains_by_listing_anything_else(world: World, data: st.DataObject) -> None:
    """Of all lists that a fan could hand in, the true one gets the best true choice."""
    three = {market: limit for market, limit in world.limits.items() if market in IN_RUN[:3]}
    liar = Fan(fan="liar", score=0.5, markets=data.draw(st.sampled_from(ALL_LISTS)))
    honest = attrs.evolve(world, fans=(*world.fans, liar), limits=three)
    best = true_rank(honest, liar)
    for claimed in ALL_LISTS:
        lie = attrs.evolve(liar, markets=claimed)
        lying = attrs.evolve(world, fans=(*world.fans, lie), limits=three)
        assert best <= true_rank(lying, liar)


def true_rank(world: World, liar: Fan) -> int:
    got = {market for fan, market, _ in picks_of(world.select()) if fan == liar.fan}
    places = [rank for rank, market in enumerate(liar.markets) if market in got]
    return min(places, default=len(liar.markets))
