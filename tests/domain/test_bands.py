"""Score bands and their bounds."""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.bands import HIGHEST_FIRST, NAMES, Band, band_name, band_score

scores = st.one_of(
    *(st.floats(band.lower, band.upper) for band in HIGHEST_FIRST),
    st.floats(0, 0.22),
    st.sampled_from([0.0, 0.22, 0.8, 0.95, 1.0]),
)
"""Scores of all bands in equal numbers, and the bounds."""

numbers = st.integers(0, 2**53 - 1).map(lambda drawn: drawn / 2**53)
LARGEST = (2**53 - 1) / 2**53


def add_bands(score: float | None, number: float | None) -> tuple[str | None, float | None]:
    frame = pl.DataFrame({"s": [score], "n": [number]}, schema={"s": pl.Float64, "n": pl.Float64})
    score_column, number_column = pl.col("s"), pl.col("n")
    row = frame.select(band_name(score_column), b=band_score(score_column, number_column)).row(0)
    return row[0], row[1]


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (0.0, "none"),
        (math.nextafter(0.22, 0), "none"),
        (0.22, "low"),
        (math.nextafter(0.80, 0), "low"),
        (0.80, "mid"),
        (math.nextafter(0.95, 0), "mid"),
        (0.95, "high"),
        (1.0, "high"),
        (None, None),
    ],
)
def test_a_band_begins_at_its_lower_bound(score: float | None, band: str | None) -> None:
    """Bounds belong to the band above them, 1.0 to the high band."""
    assert add_bands(score, 0.5)[0] == band


@pytest.mark.parametrize("band", HIGHEST_FIRST)
def test_the_smallest_number_stands_on_the_lower_bound(band: Band) -> None:
    """Lottery number 0 gives the band's lower bound itself."""
    assert add_bands(band.lower, 0.0) == (band.name, band.lower)


@pytest.mark.parametrize("band", HIGHEST_FIRST)
def test_the_largest_number_stays_below_the_next_band(band: Band) -> None:
    """Rounding never moves a fan above the band's upper bound."""
    name, place = add_bands(band.lower, LARGEST)
    assert name == band.name
    assert place is not None
    assert band.lower < place < band.upper


@given(st.sampled_from([(0.95, 1.0), (0.80, 0.95), (0.22, 0.80)]), numbers)
def test_the_lottery_number_spreads_fans_over_the_whole_band(
    bounds: tuple[float, float], number: float
) -> None:
    """The band score is lower + (upper - lower) * number, up to rounding."""
    lower, upper = bounds
    _, place = add_bands(lower, number)
    assert place == pytest.approx(lower + (upper - lower) * number, abs=1e-15)


@given(scores, numbers)
def test_a_fan_stays_in_the_band(score: float, number: float) -> None:
    """The band score is in the band of the score, however often it is computed again."""
    band, place = add_bands(score, number)
    assert add_bands(place, number)[0] == band


@given(scores, numbers, numbers)
def test_another_seed_never_moves_anybody_across_bands(
    score: float, number: float, other: float
) -> None:
    """Other lottery numbers change neither bands nor the order of fans of different bands."""
    assert add_bands(score, number)[0] == add_bands(score, other)[0]


@given(scores, scores, numbers, numbers)
def test_a_higher_band_beats_every_lower_one(
    score: float, rival: float, number: float, other: float
) -> None:
    """The lottery number decides only within a band."""
    (band, place), (below, place_below) = add_bands(score, number), add_bands(rival, other)
    if NAMES.index(str(band)) < NAMES.index(str(below)):
        assert place is not None
        assert place_below is not None
        assert place > place_below


@given(st.floats(0, 0.22, exclude_max=True), numbers)
def test_below_all_bands_the_score_stands_for_itself(score: float, number: float) -> None:
    """Unbanded fans keep their scores."""
    assert add_bands(score, number) == ("none", score)


@given(numbers)
def test_no_score_has_no_band(number: float) -> None:
    """A null score has neither band nor band score."""
    assert add_bands(None, number) == (None, None)
