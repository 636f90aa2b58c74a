"""Rules of fairness, each broken in one way: what a slip in the source would do to them."""

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from typing import Any, Final, cast

import attrs
import polars as pl
import pytest

from campaign_workers.domain.scrub import duplicates
from campaign_workers.domain.scrub.rules import (
    DISQUALIFYING_BITS,
    DUPLICATE_RULES,
    Duplicate,
    bits_of,
)
from campaign_workers.domain.selection import (
    SelectionOptions,
    candidates,
    mechanisms,
    selection,
)
from campaign_workers.domain.selection.mechanisms import MECHANISMS

Break = Callable[[pytest.MonkeyPatch], None]
"""Breaks a rule until the patch is undone."""

CRITERIA: Final = ("score", "global_user_id", "email", "phone", duplicates.ROW)
"""What a row of the scrub is ranked by, first things first."""


def _replace(place: Any, old: Callable[..., Any], new: object) -> Break:
    return lambda patch: patch.setattr(place, old.__name__, new)


def _with_duplicate_rules(rules: Mapping[str, Duplicate]) -> Break:
    return lambda patch: patch.setattr(duplicates, "DUPLICATE_RULES", rules)


def _without_duplicate_rule(tag: str) -> Break:
    return _with_duplicate_rules(
        {name: DUPLICATE_RULES[name] for name in DUPLICATE_RULES.keys() - {tag}}
    )


def _with_disqualifying(bits: int) -> Break:
    """Break the scrub so that only rows with one of these tag bits are not compared."""
    return lambda patch: patch.setattr(duplicates, "DISQUALIFYING_BITS", bits)


def _with_one_criterion_reversed(reversed_name: str) -> Break:
    """Break the scrub so that the largest text, the last row or the smallest score wins."""
    descending = [(name == "score") != (name == reversed_name) for name in CRITERIA]

    def best_rows(rows: pl.DataFrame, key: str) -> pl.DataFrame:
        ranked = rows.sort(*CRITERIA, descending=descending)
        return ranked.unique(["campaign_id", key], keep="first", maintain_order=True)

    return _replace(duplicates, duplicates.best_rows, best_rows)


def _campaigns_compete() -> Break:
    """Break the scrub so that rows of all campaigns compete with each other."""
    dedup_rows = duplicates.dedup_rows

    def in_one_campaign(fans: pl.DataFrame) -> pl.DataFrame:
        return dedup_rows(fans).with_columns(campaign_id=pl.lit("c"))

    return _replace(duplicates, dedup_rows, in_one_campaign)


SCRUB: Final[Mapping[str, Break]] = {
    "no competition": _with_duplicate_rules({}),
    "no competition of a fan's rows": _without_duplicate_rule("duplicateFan"),
    "no competition for a phone": _without_duplicate_rule("duplicatePhone"),
    "phones are competed for by rows that are out": _with_disqualifying(
        DISQUALIFYING_BITS & ~bits_of("duplicateFan")
    ),
    "rows that are out compete": _with_disqualifying(0),
    "phones that are not valid are competed for": _with_duplicate_rules(
        {**DUPLICATE_RULES, "duplicatePhone": Duplicate("phone")}
    ),
    "campaigns compete with each other": _campaigns_compete(),
    **{f"{name} decides the other way": _with_one_criterion_reversed(name) for name in CRITERIA},
}
"""The broken rules of the scrub's competition."""


def _swapped(one: mechanisms.Rules, other: mechanisms.Rules) -> Break:
    table = cast("dict[mechanisms.Rules, mechanisms.Mechanism]", MECHANISMS)

    def swap(patch: pytest.MonkeyPatch) -> None:
        first, second = table[one], table[other]
        patch.setitem(table, one, second)
        patch.setitem(table, other, first)

    return swap


def _in_the_other_order(rules: mechanisms.Rules) -> Break:
    table = cast("dict[mechanisms.Rules, mechanisms.Mechanism]", MECHANISMS)
    single_market, order_by_preference = rules
    other = MECHANISMS[single_market, not order_by_preference]
    return lambda patch: patch.setitem(
        table, rules, attrs.evolve(MECHANISMS[rules], place=other.place)
    )


def _eligible(
    rows: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows,
    ranked: Callable[[pl.DataFrame], pl.DataFrame] = lambda ranked: ranked,
    **changed: Any,
) -> Break:
    """Break who is eligible: other candidate rows, another order, or other options."""

    def eligible(candidate_rows: pl.DataFrame, options: SelectionOptions) -> pl.DataFrame:
        fans = candidates.rank_eligible(rows(candidate_rows), attrs.evolve(options, **changed))
        return ranked(fans)

    return _replace(selection, candidates.rank_eligible, eligible)


def _sorted(names: Iterable[str], *, descending: list[bool]) -> Break:
    return _eligible(ranked=lambda fans: fans.sort(*names, descending=descending))


def _with_room(change: int) -> Break:
    room = selection._room

    def changed(markets: pl.DataFrame, fans: pl.DataFrame) -> pl.Series:
        return (room(markets, fans) + change).clip(0)

    return _replace(selection, room, changed)


ALL: Final = tuple(MECHANISMS)

SELECTION: Final[Mapping[str, tuple[Break, tuple[mechanisms.Rules, ...]]]] = {
    **{
        f"{MECHANISMS[one].name} and {MECHANISMS[other].name} swapped": (
            _swapped(one, other),
            (one, other),
        )
        for one, other in combinations(MECHANISMS, 2)
    },
    **{
        f"{mechanism.name} in the other order": (_in_the_other_order(rules), (rules,))
        for rules, mechanism in MECHANISMS.items()
    },
    "a market takes one fan more": (_with_room(1), ALL),
    "a market takes one fan less": (_with_room(-1), ALL),
    "the lowest priority goes first": (
        _sorted(("priority", "lottery"), descending=[False, True]),
        ALL,
    ),
    "the lower lottery number breaks a tie": (
        _sorted(("priority", "lottery"), descending=[True, False]),
        ALL,
    ),
    "the id breaks a tie": (
        _sorted(("priority", "global_user_id"), descending=[True, False]),
        ALL,
    ),
    "verdict 0 takes part": (_eligible(rows=lambda rows: rows.drop("verdict")), ALL),
    "the score is bounded instead of the raw score": (
        _eligible(rows=lambda rows: rows.drop("raw_score")),
        ALL,
    ),
    "no least score": (_eligible(min_score=None), ALL),
    "no largest score": (_eligible(max_score=None), ALL),
    "fans are selected again": (_eligible(reassign=True), ALL),
    "foreign phones take part": (_eligible(exclude_intl_phone=False), ALL),
    "never a random selection": (_eligible(random_selection=False), ALL),
}
"""The broken rules of selection, and the mechanisms whose law can show each."""
