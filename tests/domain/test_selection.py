"""Selection by examples: eligibility, ties, cut-offs and errors."""

from typing import Any

import attrs
import polars as pl
import pytest

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.selection import (
    MarketQuota,
    SelectionOptions,
    select_fans,
)
from tests.selection_worlds import AMERICAN, FOREIGN, Fan, World


def select(fans: list[Fan], limits: dict[str, int], **options: Any) -> set[tuple[str, str, int]]:
    return World(
        fans=tuple(fans), limits=limits, options=SelectionOptions(**options, seed="s")
    ).picks()


def fan(**facts: Any) -> Fan:
    return Fan(**{"fan": "g1", "score": 0.5, "markets": ("ams",), **facts})


@pytest.mark.parametrize(
    ("facts", "options", "is_taken"),
    [
        ({}, {}, True),
        ({"verdict": 0}, {}, False),
        ({"score": None}, {}, False),
        ({"score": float("nan")}, {}, False),
        ({"score": float("inf")}, {}, False),
        ({"score": 0.0}, {}, True),
        ({"markets": ()}, {}, False),
        ({"markets": ("xxx",)}, {}, False),
        ({"markets": ("xxx", "yyy", "zzz", "ams")}, {}, True),
        ({}, {"min_score": 0.5}, True),
        ({}, {"min_score": 0.51}, False),
        ({}, {"max_score": 0.5}, True),
        ({}, {"max_score": 0.49}, False),
        ({"raw_score": 0.9}, {"min_score": 0.8}, True),
        ({"raw_score": 0.3}, {"min_score": 0.4}, False),
        ({"raw_score": 0.3}, {"max_score": 0.4}, True),
        ({"previously_selected": True}, {}, False),
        ({"previously_selected": True}, {"reassign": True}, True),
        ({"phone": FOREIGN}, {}, True),
        ({"phone": FOREIGN}, {"exclude_intl_phone": True}, False),
        ({"phone": AMERICAN}, {"exclude_intl_phone": True}, True),
        ({"phone": ""}, {"exclude_intl_phone": True}, True),
        ({"phone": "+1 555"}, {"exclude_intl_phone": True}, True),
        ({"phone": None}, {"exclude_intl_phone": True}, True),
    ],
)
def test_who_is_eligible(facts: dict[str, Any], options: dict[str, Any], is_taken: bool) -> None:
    """Verdict, score, bounds on the raw score, markets, earlier selection and phone decide."""
    assert is_taken == bool(select([fan(**facts)], {"ams": 1}, **options))


def test_only_the_three_required_columns_are_needed() -> None:
    """Without optional columns every row is eligible, and the score is the raw score."""
    rows = pl.DataFrame({"global_user_id": ["g1"], "score": [1], "market_ids": [["ams"]]})
    selection = select_fans(rows, [MarketQuota("ams", 1)], SelectionOptions(min_score=0.5))
    assert selection.picks.rows() == [("g1", "ams", 0, 1.0)]


def test_the_rank_of_a_pick_counts_markets_outside_the_run() -> None:
    """A fan's third choice has rank 2, even if the first two are not in the run."""
    picks = select([fan(markets=("xxx", "yyy", "ams"))], {"ams": 1})
    assert {("g1", "ams", 2)} == picks


def test_preference_counts_from_the_fans_own_list() -> None:
    """A first choice precedes a second choice, even if the market before it is not in the run."""
    second = fan(fan="g2", score=0.9, markets=("xxx", "ams"))
    assert {("g1", "ams", 0)} == select([fan(), second], {"ams": 1}, order_by_preference=True)


def test_ties_go_to_the_higher_lottery_number() -> None:
    """Of equal scores the higher lottery number wins, whatever the order of rows."""
    fans = [fan(fan=f"g{number}") for number in range(30)]
    world = World(fans=tuple(fans), limits={"ams": 10}, options=SelectionOptions(seed="tie"))
    luckiest = sorted(fans, key=world.lottery, reverse=True)[:10]
    assert {(each.fan, "ams", 0) for each in luckiest} == world.picks()


def test_a_random_selection_looks_at_no_score() -> None:
    """With `randomSelection` the priority is the lottery number."""
    fans = tuple(fan(fan=f"g{number}", score=number / 30) for number in range(30))
    options = SelectionOptions(random_selection=True, seed="dice", campaign_id="tour")
    world = World(fans=fans, limits={"ams": 10}, options=options)
    luckiest = sorted(fans, key=world.lottery, reverse=True)[:10]
    picks = world.select().picks
    assert [each.fan for each in luckiest] == picks["global_user_id"].to_list()
    assert [world.lottery(each) for each in luckiest] == picks["priority"].to_list()


def test_another_seed_draws_other_fans() -> None:
    """The seed decides between equal scores."""
    fans = tuple(fan(fan=f"g{number}") for number in range(100))
    drawn = [
        World(fans=fans, limits={"ams": 50}, options=SelectionOptions(seed=seed)).picks()
        for seed in ("one", "two")
    ]
    assert drawn[0] != drawn[1]


def test_cutoffs_tell_the_last_one_in() -> None:
    """A filled market has the priority, preference rank and lottery number of its last fan."""
    fans = (fan(), fan(fan="g2", score=0.9), fan(fan="g3", score=0.8, markets=("ber", "cph")))
    limits = {"cph": 5, "ams": 1, "ber": 0}
    world = World(fans=fans, limits=limits, options=SelectionOptions(seed="s"))
    cutoffs = world.select().cutoffs
    assert [
        ("ams", 1, 1, True, 0.9, 0, world.lottery(fans[1])),
        ("ber", 0, 0, True, None, None, None),
        ("cph", 5, 1, False, None, None, None),
    ] == cutoffs.rows()
    assert cutoffs.columns == [
        "market_id",
        "limit",
        "taken",
        "filled",
        "cutoff",
        "cutoff_preference_rank",
        "cutoff_lottery",
    ]


def test_a_cutoff_by_preference_is_the_last_in_that_order() -> None:
    """The last fan of a market by preference may have a higher score than those before."""
    fans = (fan(), fan(fan="g2", score=0.9, markets=("xxx", "ams")))
    options = SelectionOptions(order_by_preference=True, single_market=False)
    cutoffs = World(fans=fans, limits={"ams": 2}, options=options).select().cutoffs
    assert cutoffs.select("cutoff", "cutoff_preference_rank").row(0) == (0.9, 1)


def test_immediate_acceptance_can_be_gamed() -> None:
    """Omitting a hopeless first choice can pay off, so this mechanism is not the default."""
    fans = [
        fan(fan="star", score=0.9, markets=("ams",)),
        fan(fan="rival", score=0.1, markets=("ber",)),
    ]
    limits = {"ams": 1, "ber": 1}
    for claimed, wins in ((("ams", "ber"), False), (("ber",), True)):
        you = fan(fan="you", markets=claimed)
        picks = select([*fans, you], limits, order_by_preference=True)
        assert wins == any(who == "you" for who, _, _ in picks)
    assert ("you", "ber", 1) in select([*fans, fan(fan="you", markets=("ams", "ber"))], limits)


def test_a_long_chain_of_displacements_ends_right() -> None:
    """A cut-off moves fans to the next market, which moves others in turn."""
    markets = [f"m{number:02d}" for number in range(40)]
    fans = [
        fan(
            fan=f"g{number:02d}",
            score=1 - number / 100,
            markets=tuple(markets[max(0, number - 1) :][:2]),
        )
        for number in range(40)
    ]
    picks = select(fans, dict.fromkeys(markets, 1))
    assert len(picks) == 40
    assert {rank for who, _, rank in picks if who != "g00"} == {1}


@pytest.mark.parametrize("limits", [{}, {"ams": 0}])
def test_without_seats_nobody_is_picked(limits: dict[str, int]) -> None:
    """No markets, or a limit of 0, select no fans and raise no error."""
    assert not select([fan()], limits)


def test_nobody_to_choose_from_gives_empty_tables() -> None:
    """An empty file of candidates gives no picks and unfilled markets."""
    selection = World(fans=(), limits={"ams": 3}, options=SelectionOptions()).select()
    assert selection.picks.is_empty()
    assert selection.cutoffs.rows() == [("ams", 3, 0, False, None, None, None)]


def test_a_huge_limit_takes_everybody() -> None:
    """A limit above the number of fans is not filled."""
    assert len(select([fan(), fan(fan="g2")], {"ams": 2**63 - 1})) == 2


def test_a_scrubbed_file_will_do() -> None:
    """Rows with verdict 0 may have no id, a repeated id, or an invalid list."""
    out = [
        fan(verdict=0),
        fan(verdict=0, fan=None),
        fan(verdict=0, fan="g2", markets=("ams", "ams")),
        fan(verdict=0, fan="g3", markets=("a", "b", "c", "d", "e")),
    ]
    assert {("g1", "ams", 0)} == select([*out, fan()], {"ams": 9})


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"fan": "g1"}, "row 1, global_user_id: occurs twice"),
        ({"fan": None}, "row 2, global_user_id: value is missing"),
        ({"fan": ""}, "row 2, global_user_id: value is missing"),
        ({"markets": ("ams", "ber", "ams")}, "row 2, market_ids: contains a market twice"),
        ({"markets": tuple("abcde")}, "row 2, market_ids: has more than 4 markets"),
    ],
)
def test_faulty_candidates_stop_the_selection(facts: dict[str, Any], words: str) -> None:
    """The error names the row and the column and quotes no value."""
    with pytest.raises(BadInput, match=words) as caught:
        select([fan(), attrs.evolve(fan(fan="g2"), **facts)], {"ams": 1})
    assert "g1" not in str(caught.value)


GOOD = {"global_user_id": ["g1"], "score": [0.5], "market_ids": [["ams"]]}


@pytest.mark.parametrize("column", [*GOOD, "phone"])
def test_a_missing_column_is_named(column: str) -> None:
    """Required columns must exist, and the phone if an option needs it."""
    full = {**GOOD, "phone": [""]}
    rows = pl.DataFrame({name: cells for name, cells in full.items() if name != column})
    with pytest.raises(BadInput, match=f"{column}: column is missing"):
        select_fans(rows, [MarketQuota("ams", 1)], SelectionOptions(exclude_intl_phone=True))


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("global_user_id", [1]),
        ("score", ["0.5"]),
        ("market_ids", ["ams"]),
        ("market_ids", [[1]]),
        ("raw_score", ["0.5"]),
        ("verdict", ["1"]),
        ("previously_selected", ["yes"]),
        ("phone", [12125550162]),
    ],
)
def test_a_column_of_another_type_is_named(column: str, cells: list[Any]) -> None:
    """Numbers are not parsed from strings."""
    with pytest.raises(BadInput, match=column):
        select_fans(
            pl.DataFrame({**GOOD, column: cells}), [MarketQuota("ams", 1)], SelectionOptions()
        )


@pytest.mark.parametrize("limit", [-1, 1.0, "3", True, None, 2**63])
def test_a_limit_is_a_whole_number_from_0(limit: Any) -> None:
    """Negative, fractional, textual and infinite limits are refused."""
    with pytest.raises(BadInput, match="limit"):
        MarketQuota("ams", limit)


@pytest.mark.parametrize("market_id", ["", None, 7])
def test_a_quota_names_its_market(market_id: Any) -> None:
    """A quota without a market is refused."""
    with pytest.raises(BadInput, match="market_id"):
        MarketQuota(market_id, 1)


def test_a_market_has_one_quota() -> None:
    """Two quotas for a market contradict each other, even if they are equal."""
    with pytest.raises(BadInput, match="quota 2"):
        select_fans(pl.DataFrame(GOOD), [MarketQuota("ams", 1)] * 2, SelectionOptions())


@pytest.mark.parametrize(
    "options",
    [
        {"single_market": 1},
        {"min_score": "0.5"},
        {"max_score": float("nan")},
        {"min_score": True},
        {"seed": None},
        {"campaign_id": 7},
    ],
)
def test_options_have_their_types(options: dict[str, Any]) -> None:
    """An option of another type is refused by name."""
    with pytest.raises(BadInput, match=next(iter(options))):
        SelectionOptions(**options)


def test_the_seed_is_in_no_representation() -> None:
    """The representation of options omits the seed."""
    assert "s3cret" not in repr(SelectionOptions(seed="s3cret"))
