"""Scores in (0,1] from the ranks of a fan list: the five scoring types as one table.

In the formulas r is the rank (1 is best), N the larger of the number of valid rows and the
largest rank, and p = (r-1)/N the fraction of places that are better.
"""

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Final, Self

import attrs
import polars as pl

from campaign_workers.domain.csv.frames import strip
from campaign_workers.domain.errors import BadInput

SMALLEST_SCORE: Final = math.ulp(0.0)
"""The smallest positive double; a score of 0 would mean that the fan has none."""

LARGEST_RANK: Final = 2**53 - 1
"""The largest integer that JSON and doubles represent exactly."""

BAND_KNOTS: Final = ((0.0, 1.0), (0.05, 0.95), (0.20, 0.80), (1.0, 0.22))
"""(p, score): the best 5 % get the high band, the next 15 % the mid band, the rest the low band."""

_RANK = pl.col("rank").cast(pl.Float64)


def _quotient(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    # Polars multiplies by the reciprocal of a scalar, which rounds twice; a column it divides by.
    return dividend / (divisor + 0 * _RANK)


_ROWS = pl.col("rank").count().cast(pl.Float64)
_BETTER = (pl.col("rank").rank("min") - 1).cast(pl.Float64)
_PLACES = pl.max_horizontal(_ROWS, _RANK.max())
_FRACTION = _quotient(_RANK - 1, _PLACES)


def _banded_score(_: float | None) -> pl.Expr:
    score = pl.lit(1.0)
    for (left, top), (right, low) in pairwise(BAND_KNOTS):
        piece = top - _quotient((_FRACTION - left) * (top - low), pl.lit(right - left))
        score = pl.when(left < _FRACTION).then(piece.clip(low, top)).otherwise(score)
    return score


def _exponential_score(half_life: float | None) -> pl.Expr:
    if half_life is None:
        halvings = _quotient((_RANK - 1) * 10, _PLACES)
    else:
        halvings = _quotient(_RANK - 1, pl.lit(half_life))
    return pl.lit(2.0).pow(-halvings)


_SCORES: Final[Mapping[str, Callable[[float | None], pl.Expr]]] = MappingProxyType(
    {
        "linear": lambda _: 1 - _FRACTION,
        "reciprocal": lambda _: _quotient(pl.lit(1.0), _RANK),
        "exponential": _exponential_score,
        "percentile": lambda _: 1 - _quotient(_BETTER, _ROWS),
        "banded": _banded_score,
    }
)


@attrs.frozen(kw_only=True)
class RankFormula:
    """The formula by which a campaign turns ranks into scores; build it with `parse`.

    Attributes:
        scoring_type: the name of the formula.
        half_life: ranks after which an exponential score has halved; None means N/10.
    """

    scoring_type: str
    half_life: float | None = None

    @classmethod
    def parse(cls, scoring_type: str, half_life: float | None = None) -> Self:
        """Return the formula of a scoring type.

        Args:
            scoring_type: `linear`, `reciprocal`, `exponential`, `percentile` or `banded`.
            half_life: ranks after which an exponential score has halved; by default N/10. The
                other types ignore it.

        Raises:
            BadInput: the scoring type is unknown, or the half-life is not a positive finite
                number.

        Example:
            >>> RankFormula.parse("exponential", half_life=100)
            RankFormula(scoring_type='exponential', half_life=100)
        """
        if scoring_type not in _SCORES:
            raise BadInput(
                "unknown scoring type",
                field="scoringType",
                remedy=f"use one of {', '.join(_SCORES)}",
            )
        if half_life is not None and not _is_positive(half_life):
            raise BadInput("expected a positive number", field="halfLife", remedy="use one above 0")
        return cls(
            scoring_type=scoring_type,
            half_life=half_life if scoring_type == "exponential" else None,
        )


def _is_positive(number: object) -> bool:
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return is_number and 0 < float(number) < math.inf  # type: ignore[arg-type]


def parse_ranks(ranks: pl.Series) -> pl.Series:
    """Return the ranks as Int64, null for everything that is not a whole number in 1..2^53-1.

    Strings are stripped and parsed as decimal notation. The value must be whole, not the notation:
    `3`, `3.0` and `3e0` are the same rank, `3.5` is not a rank.

    Raises:
        BadInput: the column holds neither numbers nor strings.
    """
    dtype = ranks.dtype
    if not (dtype.is_numeric() or dtype in (pl.String, pl.Null)):
        raise BadInput(
            f"expected numbers or strings, got {dtype}",
            field="rank",
            remedy="use whole numbers from 1",
        )
    rank = strip(pl.col("rank")) if dtype == pl.String else pl.col("rank")
    number = rank.cast(pl.Float64, strict=False)
    whole = rank.cast(pl.Int64, strict=False)
    value = pl.when(number == number.floor()).then(
        pl.coalesce(whole, number.cast(pl.Int64, strict=False))
    )
    parsed = ranks.alias("rank").to_frame().select(value.alias(ranks.name)).to_series()
    return parsed.set(~parsed.is_between(1, LARGEST_RANK), None)


def scores_from_ranks(ranks: pl.Series, formula: RankFormula) -> pl.Series:
    """Return the score of each rank.

    A higher rank never gets a higher score, equal ranks get equal scores, and the order of rows
    does not matter.

    Args:
        ranks: numbers or strings; 1 is the best rank.
        formula: the campaign's formula.

    Returns:
        A Float64 series in (0,1], null where the rank is not a whole number in 1..2^53-1.

    Raises:
        BadInput: the series holds neither numbers nor strings.

    Example:
        >>> import polars as pl
        >>> ranks = pl.Series(["1", "2", "4", "n/a"])
        >>> scores_from_ranks(ranks, RankFormula.parse("linear")).to_list()
        [1.0, 0.75, 0.25, None]
    """
    score = _SCORES[formula.scoring_type](formula.half_life).clip(SMALLEST_SCORE, 1.0)
    frame = parse_ranks(ranks).alias("rank").to_frame()
    return frame.select(pl.when(_RANK.is_not_null()).then(score).alias(ranks.name)).to_series()
