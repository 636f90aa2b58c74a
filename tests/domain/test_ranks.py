"""Scores from ranks: a property for each law, and a slow row-at-a-time oracle."""

import math
from collections.abc import Callable, Mapping

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.ranks import RankFormula, parse_ranks, scores_from_ranks

SCORING_TYPES = ("linear", "reciprocal", "exponential", "percentile", "banded")
SMALLEST = 5e-324

whole = st.integers(1, 2**53 - 1) | st.integers(1, 60)
invalid = st.none() | st.integers(-(2**63), 0)
crowded = st.integers(1, 30).flatmap(
    lambda count: st.lists(st.integers(1, count), min_size=count, max_size=count)
)
"""At least as many rows as the largest rank, so that the number of rows is N."""

of_twenty = st.lists(st.integers(1, 20) | st.sampled_from([2, 5, 6]), max_size=19).map(
    lambda ranks: [*ranks, 20]
)
"""N is at least 20, so that the bounds of the bands are ranks."""

columns = st.one_of(
    crowded,
    of_twenty,
    st.lists(whole | st.none() | st.integers(-3, 0), max_size=30),
    st.lists(whole | invalid, max_size=30),
)
half_lives = st.none() | st.floats(0, 1e9, exclude_min=True)
formulas = st.builds(
    RankFormula.parse, st.sampled_from((*SCORING_TYPES, "exponential")), half_lives
)


def slow_linear(rank: int, valid: list[int], places: float, half_life: float | None) -> float:
    return 1 - (rank - 1) / places


def slow_reciprocal(rank: int, valid: list[int], places: float, half_life: float | None) -> float:
    return 1 / rank


def slow_exponential(rank: int, valid: list[int], places: float, half_life: float | None) -> float:
    halvings = (rank - 1) / (half_life or places / 10)
    return 2.0**-halvings if halvings < 2000 else 0.0


def slow_percentile(rank: int, valid: list[int], places: float, half_life: float | None) -> float:
    return 1 - sum(other < rank for other in valid) / len(valid)


def slow_banded(rank: int, valid: list[int], places: float, half_life: float | None) -> float:
    p = (rank - 1) / places
    if p <= 0.05:
        return 1 - p
    if p <= 0.20:
        return 0.95 - (p - 0.05) * (0.95 - 0.80) / (0.20 - 0.05)
    return 0.80 - (p - 0.20) * (0.80 - 0.22) / (1 - 0.20)


SLOW: Mapping[str, Callable[[int, list[int], float, float | None], float]] = {
    "linear": slow_linear,
    "reciprocal": slow_reciprocal,
    "exponential": slow_exponential,
    "percentile": slow_percentile,
    "banded": slow_banded,
}


def score_ranks(ranks: list[int | None], formula: RankFormula) -> list[float | None]:
    return scores_from_ranks(pl.Series("rank", ranks, dtype=pl.Int64), formula).to_list()


def valid_pairs(ranks: list[int | None], formula: RankFormula) -> list[tuple[int, float]]:
    pairs = zip(ranks, score_ranks(ranks, formula), strict=True)
    return sorted((rank, score) for rank, score in pairs if rank is not None and score is not None)


@pytest.mark.parametrize("scoring_type", SCORING_TYPES)
@given(ranks=columns, half_life=half_lives)
def test_scores_are_those_of_the_slow_oracle(
    scoring_type: str, ranks: list[int | None], half_life: float | None
) -> None:
    """Every formula agrees with its definition, computed row by row."""
    formula = RankFormula.parse(scoring_type, half_life)
    valid = [rank for rank in ranks if rank is not None and rank >= 1]
    places = float(max([len(valid), *valid]))
    expected = [
        max(SLOW[formula.scoring_type](rank, valid, places, formula.half_life), SMALLEST)
        if rank is not None and rank >= 1
        else -1
        for rank in ranks
    ]
    found = [-1 if score is None else score for score in score_ranks(ranks, formula)]
    assert found == pytest.approx(expected, rel=1e-9, abs=0)


def test_only_a_score_of_zero_is_raised_to_the_smallest_one() -> None:
    """A tiny score stays as it is, and one that would be 0 is the smallest double above 0."""
    last = 2**53 - 1
    assert score_ranks([1, last], RankFormula.parse("reciprocal"))[1] == 1 / last
    assert score_ranks([1, last], RankFormula.parse("exponential", 1.0))[1] == SMALLEST


@given(columns, formulas)
def test_scores_lie_above_zero_and_up_to_one(ranks: list[int | None], formula: RankFormula) -> None:
    """A score is in (0,1], however long the list and however short the half-life."""
    assert all(0 < score <= 1 for _, score in valid_pairs(ranks, formula))


@given(columns, formulas)
def test_a_better_rank_never_scores_lower(ranks: list[int | None], formula: RankFormula) -> None:
    """Scores never increase in rank."""
    scores = [score for _, score in valid_pairs(ranks, formula)]
    assert scores == sorted(scores, reverse=True)


@given(columns, formulas)
def test_equal_ranks_score_equally(ranks: list[int | None], formula: RankFormula) -> None:
    """Two fans of the same rank get the same score."""
    pairs = valid_pairs([*ranks, *ranks], formula)
    assert len({rank for rank, _ in pairs}) == len(set(pairs))


@given(columns.flatmap(lambda ranks: st.tuples(st.just(ranks), st.permutations(ranks))), formulas)
def test_row_order_changes_no_score(
    both: tuple[list[int | None], list[int | None]], formula: RankFormula
) -> None:
    """A fan's score does not depend on the position of the row."""
    ranks, shuffled = both
    assert valid_pairs(ranks, formula) == valid_pairs(shuffled, formula)


@given(columns, formulas)
def test_exactly_the_invalid_ranks_have_no_score(
    ranks: list[int | None], formula: RankFormula
) -> None:
    """A rank that is missing or below 1 has a null score, any other has one."""
    assert [rank is None or rank < 1 for rank in ranks] == [
        score is None for score in score_ranks(ranks, formula)
    ]


@given(st.lists(whole, min_size=1, max_size=20), st.lists(invalid, max_size=9), formulas)
def test_invalid_rows_change_no_other_score(
    good: list[int], bad: list[int | None], formula: RankFormula
) -> None:
    """Formulas count only valid rows."""
    assert score_ranks([*good, *bad], formula)[: len(good)] == score_ranks(list(good), formula)


@pytest.mark.parametrize(
    ("scoring_type", "half_life", "expected"),
    [
        ("linear", None, [1.0, 0.9, 0.8, 0.5, 0.1]),
        ("reciprocal", None, [1.0, 1 / 2, 1 / 3, 1 / 6, 1 / 10]),
        ("exponential", None, [1.0, 0.5, 0.25, 2**-5, 2**-9]),
        ("exponential", 3, [1.0, 2 ** (-1 / 3), 2 ** (-2 / 3), 2 ** (-5 / 3), 1 / 8]),
        ("percentile", None, [1.0, 0.8, 0.6, 0.4, 0.2]),
        ("banded", None, [1.0, 0.9, 0.8, 0.5825, 0.2925]),
    ],
)
def test_scores_of_a_list_known_by_hand(
    scoring_type: str, half_life: float | None, expected: list[float]
) -> None:
    """Ranks 1, 2, 3, 6 and 10: N is 10, the largest rank."""
    formula = RankFormula.parse(scoring_type, half_life)
    assert score_ranks([1, 2, 3, 6, 10], formula) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("cell", "rank"),
    [
        ("3", 3),
        (" 3\t", 3),
        ("+3", 3),
        ("003", 3),
        ("3.0", 3),
        ("3e0", 3),
        ("9007199254740991", 2**53 - 1),
        ("9007199254740992", None),
        ("9223372036854775807", None),
        ("3.5", None),
        ("0", None),
        ("-1", None),
        ("", None),
        ("first", None),
        ("NaN", None),
        ("inf", None),
        ("1,000", None),
        ("1_000", None),
        ("1e300", None),
        ("9223372036854775808", None),
        (None, None),
    ],
)
def test_text_is_read_as_a_whole_number_or_not_at_all(cell: str | None, rank: int | None) -> None:
    """The value must be whole, in any notation."""
    assert [rank] == parse_ranks(pl.Series([cell], dtype=pl.String)).to_list()


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64])
def test_floats_count_if_they_are_whole(dtype: type[pl.DataType]) -> None:
    """Fractions, NaN, infinities and numbers beyond 2^53 are not ranks."""
    ranks = pl.Series([1.0, 2.5, math.nan, math.inf, -math.inf, 1e19, None], dtype=dtype)
    assert [1, *[None] * 6] == parse_ranks(ranks).to_list()


def test_unsigned_ranks_beyond_int64_are_no_ranks() -> None:
    """A rank beyond 2^53 is rejected and not wrapped around."""
    ranks = pl.Series([2**63, 7], dtype=pl.UInt64)
    assert parse_ranks(ranks).to_list() == [None, 7]


@pytest.mark.parametrize("ranks", [pl.Series([True]), pl.Series([[1]])])
def test_a_column_of_neither_numbers_nor_text_is_refused(ranks: pl.Series) -> None:
    """Columns of flags and lists are refused."""
    with pytest.raises(BadInput, match="rank"):
        scores_from_ranks(ranks, RankFormula.parse("linear"))


@pytest.mark.parametrize("scoring_type", SCORING_TYPES)
@pytest.mark.parametrize("ranks", [pl.Series("r", [], dtype=pl.Null), pl.Series("r", [None, None])])
def test_a_list_without_ranks_has_no_scores(ranks: pl.Series, scoring_type: str) -> None:
    """Without valid rows there are no scores and no division by zero."""
    scores = scores_from_ranks(ranks, RankFormula.parse(scoring_type))
    assert scores.dtype == pl.Float64
    assert scores.name == "r"
    assert [None] * len(ranks) == scores.to_list()


@pytest.mark.parametrize("half_life", [0, -1, math.nan, math.inf, True, "3"])
def test_a_half_life_is_a_positive_number(half_life: float) -> None:
    """Zero, negative, infinite and non-numeric half-lives are refused by name."""
    with pytest.raises(BadInput, match="halfLife"):
        RankFormula.parse("exponential", half_life=half_life)


@pytest.mark.parametrize("scoring_type", ["", "Linear", "quadratic"])
def test_an_unknown_scoring_type_is_refused(scoring_type: str) -> None:
    """The error lists the known types."""
    with pytest.raises(BadInput, match="linear, reciprocal, exponential, percentile, banded"):
        RankFormula.parse(scoring_type)
