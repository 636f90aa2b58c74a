"""Lottery numbers can be recomputed, are the same everywhere, and are uniform."""

import hashlib
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.lottery import commitment, lottery_expr, lottery_numbers

any_text = st.text(st.characters(codec="utf-8"), max_size=12)


def number_by_hand(seed: str, campaign: str, fan: str) -> float:
    digest = hashlib.sha256(f"{seed}:{campaign}:{fan}".encode()).hexdigest()
    return (int(digest, 16) >> (256 - 53)) / 2**53


@pytest.mark.parametrize(
    ("seed", "campaign", "fan", "number"),
    [
        ("s3cret", "summer-tour-2026", "g-01-0000162", 0.33379237084694446),
        ("7", "c", "g1", 0.8039604553618315),
        ("", "c", "ü", 0.4400980199376977),
        ("", "", "", 0.4426942071496839),
    ],
)
def test_known_numbers_never_change(seed: str, campaign: str, fan: str, number: float) -> None:
    """The number of a past draw never changes."""
    drawn = lottery_numbers(pl.Series([fan]), seed=seed, campaign_id=campaign)
    assert [number] == drawn.to_list()


@given(any_text, any_text, st.lists(st.none() | any_text))
def test_every_number_is_the_one_sha256sum_gives(
    seed: str, campaign: str, fans: list[str | None]
) -> None:
    """An auditor computes the same number with SHA-256 alone."""
    drawn = lottery_numbers(
        pl.Series("fan", fans, dtype=pl.String), seed=seed, campaign_id=campaign
    )
    by_hand = [None if fan is None else number_by_hand(seed, campaign, fan) for fan in fans]
    assert by_hand == drawn.to_list()
    assert drawn.name == "fan"
    assert drawn.dtype == pl.Float64


@given(any_text, st.lists(any_text, max_size=20))
def test_numbers_lie_in_the_unit_interval(seed: str, fans: list[str]) -> None:
    """A lottery number is at least 0 and below 1."""
    drawn = lottery_numbers(pl.Series(fans, dtype=pl.String), seed=seed, campaign_id="c")
    assert all(0 <= number < 1 for number in drawn)


@pytest.mark.parametrize("seed", ["1", "2", "a longer seed", "ünïcode"])
def test_numbers_are_uniform(seed: str) -> None:
    """Numbers are uniform in [0,1): Kolmogorov-Smirnov at one in a thousand."""
    count = 20_000
    fans = pl.Series([f"g-{index:07d}" for index in range(count)])
    drawn = lottery_numbers(fans, seed=seed, campaign_id="tour").sort().to_list()
    above = max((index + 1) / count - number for index, number in enumerate(drawn))
    below = max(number - index / count for index, number in enumerate(drawn))
    assert max(above, below) * math.sqrt(count) < 1.95


def test_campaigns_in_one_frame_draw_apart() -> None:
    """In a frame of several campaigns each row uses its own campaign."""
    rows = pl.DataFrame({"campaign": ["a", "b", None], "fan": ["g1", "g1", "g1"]})
    drawn = rows.select(
        lottery_expr(pl.col("fan"), seed="s", campaign_id=pl.col("campaign"))
    ).to_series()
    assert [number_by_hand("s", "a", "g1"), number_by_hand("s", "b", "g1"), None] == drawn.to_list()


def test_ids_that_are_not_strings_are_refused() -> None:
    """Numeric ids are refused, because 1 and "01" would get different numbers."""
    with pytest.raises(BadInput, match="global_user_id"):
        lottery_numbers(pl.Series([1, 2]), seed="s", campaign_id="c")


def test_no_fans_draw_no_numbers() -> None:
    """An empty series, typed or not, gives an empty Float64 series."""
    for nobody in (pl.Series([], dtype=pl.String), pl.Series([])):
        drawn = lottery_numbers(nobody, seed="s", campaign_id="c")
        assert drawn.is_empty()
        assert drawn.dtype == pl.Float64


def test_the_commitment_is_plain_sha256_of_the_seed() -> None:
    """`echo -n seed | sha256sum` shows that a seed matches its commitment."""
    assert commitment("s3cret") == (
        "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0"
    )
