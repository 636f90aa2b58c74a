"""What happens in a drawn campaign: who is shut out, which markets fill, and what decides."""

from itertools import combinations

from tests.selection_worlds import FOREIGN, MECHANISMS, Fan, Pick, World, slow_selection


def situations_of(world: World) -> set[str]:
    """Return the names of the situations that a campaign reaches."""
    picks, in_order = slow_selection(world), world.in_order()
    found = {"random selection"} if world.options.random_selection else set()
    for fan in world.fans:
        found |= _standing_of(fan, world, is_eligible=fan in in_order)
    for market, limit in world.limits.items():
        found |= _state_of_market(market, limit, world, picks, in_order)
    served = {fan for fan, _, _ in picks}
    if any(fan.fan not in served for fan in in_order):
        found.add("an unserved eligible fan")
    if any(rank > 0 for _, _, rank in picks):
        found.add("a later choice")
    return found | pairs_that_differ(world)


def pairs_that_differ(world: World) -> set[str]:
    """Return the pairs of mechanisms whose picks differ."""
    outcomes = {name: select(world) for name, select in MECHANISMS.values()}
    return {
        f"{one} is not {other}"
        for one, other in combinations(outcomes, 2)
        if outcomes[one] != outcomes[other]
    }


def _standing_of(fan: Fan, world: World, *, is_eligible: bool) -> set[str]:
    options = world.options
    asks = any(market in world.limits for market in fan.markets)
    raw = fan.score if fan.raw_score is None else fan.raw_score
    facts = {
        "an eligible fan": is_eligible,
        "no verdict": fan.verdict != 1,
        "no score": fan.score is None,
        "no market of the run": not asks,
        "selected before": fan.previously_selected and not options.reassign,
        "selected again": fan.previously_selected and is_eligible,
        "a foreign phone is out": fan.phone == FOREIGN and options.exclude_intl_phone,
        "outside the bounds": not _is_within(raw, world),
        "the raw score decides": _is_within(raw, world) != _is_within(fan.score, world),
    }
    return {name for name, holds in facts.items() if holds}


def _is_within(score: float | None, world: World) -> bool:
    if score is None:
        return True
    least, largest = world.options.min_score, world.options.max_score
    return (least is None or score >= least) and (largest is None or score <= largest)


def _state_of_market(
    market: str, limit: int, world: World, picks: set[Pick], in_order: list[Fan]
) -> set[str]:
    taken = {fan: rank for fan, place, rank in picks if place == market}
    asking = [fan for fan in in_order if market in fan.markets]
    turned_away = [fan for fan in asking if fan.fan not in taken]
    found = set()
    if limit == 0 and asking:
        found.add("a wanted market without places")
    if 0 < len(taken) < limit:
        found.add("a market with places left")
    if taken and len(taken) == limit:
        found.add("a filled market")
        lowest = min(world.priority(fan) for fan in asking if fan.fan in taken)
        if turned_away and not world.options.random_selection:
            ties = [fan for fan in turned_away if world.priority(fan) == lowest]
            found |= {"the lottery decides a tie"} if ties else set()
    return found
