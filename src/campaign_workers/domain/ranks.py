"""Ranks of a fan list to scores in (0,1]: the five scoring types as one table.

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
"""The smallest positive double: no fan of a list falls to 0, which would read as no score."""

LARGEST_RANK: Final = 2**53 - 1
"""What JSON and doubles hold exactly."""

BAND_KNOTS: Final = ((0.0, 1.0), (0.05, 0.95), (0.20, 0.80), (1.0, 0.22))
"""(p, score): the best 5 % fill the high band, the next 15 % the mid band, the rest the low one."""

_RANK = pl.col("rank").cast(pl.Float64)


def _quotient(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    # Polars multiplies by the reciprocal of a scalar, an ulp off; by a column it divides exactly.
    return dividend / (divisor + 0 * _RANK)


_ROWS = pl.col("rank").count().cast(pl.Float64)
_BETTER = (pl.col("rank").rank("min") - 1).cast(pl.Float64)
_PLACES = pl.max_horizontal(_ROWS, _RANK.max())
_FRACTION = _quotient(_RANK - 1, _PLACES)


def _banded(_: float | None) -> pl.Expr:
    score = pl.lit(1.0)
    for (left, top), (right, low) in pairwise(BAND_KNOTS):
        piece = top - _quotient((_FRACTION - left) * (top - low), pl.lit(right - left))
        score = pl.when(left < _FRACTION).then(piece.clip(low, top)).otherwise(score)
    return score


def _exponential(half_life: float | None) -> pl.Expr:
    if half_life is None:
        halvings = _quotient((_RANK - 1) * 10, _PLACES)
    else:
        halvings = _quotient(_RANK - 1, pl.lit(half_life))
    return pl.lit(2.0).pow(-halvings)


_SCORES: Final[Mapping[str, Callable[[float | None], pl.Expr]]] = MappingProxyType(
    {
        "linear": lambda _: 1 - _FRACTION,
        "reciprocal": lambda _: _quotient(pl.lit(1.0), _RANK),
        "exponential": _exponential,
        "percentile": lambda _: 1 - _quotient(_BETTER, _ROWS),
        "banded": _banded,
    }
)


@attrs.frozen(kw_only=True)
class RankFormula:
    """A campaign's way from rank to score."""

    scoring_type: str
    half_life: float | None = None
    """Ranks after which an exponential score has halved; None: a tenth of N."""

    @classmethod
    def parse(cls, scoring_type: str, half_life: float | None = None) -> Self:
        """The formula that a campaign names; other types than `exponential` have no half-life.

        Raises:
            BadInput: an unknown scoring type, or a half-life that is no positive finite number.
        """
        if scoring_type not in _SCORES:
            raise BadInput(
                "unknown scoring type",
                field="scoringType",
                remedy=f"use one of {', '.join(_SCORES)}",
            )
        if half_life is not None and not _positive(half_life):
            raise BadInput("not a positive number", field="halfLife", remedy="use a number above 0")
        return cls(
            scoring_type=scoring_type,
            half_life=half_life if scoring_type == "exponential" else None,
        )


def _positive(number: object) -> bool:
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return is_number and 0 < float(number) < math.inf  # type: ignore[arg-type]


def parse_ranks(ranks: pl.Series) -> pl.Series:
    """The ranks as Int64, null where one is missing, not a whole number, below 1 or beyond 2^53.

    Strings are trimmed and read as decimal notation; the value has to be whole, not the notation:
    `3`, `3.0` and `3e0` are the same rank, `3.5` is none.

    Raises:
        BadInput: the column holds neither numbers nor strings.
    """
    dtype = ranks.dtype
    if not (dtype.is_numeric() or dtype in (pl.String, pl.Null)):
        raise BadInput("neither numbers nor text", field="rank", remedy="give whole numbers from 1")
    rank = strip(pl.col("rank")) if dtype == pl.String else pl.col("rank")
    number = rank.cast(pl.Float64, strict=False)
    whole = rank.cast(pl.Int64, strict=False)
    read = pl.when(number == number.floor()).then(
        pl.coalesce(whole, number.cast(pl.Int64, strict=False))
    )
    found = ranks.alias("rank").to_frame().select(read.alias(ranks.name)).to_series()
    return found.set(~found.is_between(1, LARGEST_RANK), None)


def scores_from_ranks(ranks: pl.Series, formula: RankFormula) -> pl.Series:
    """A Float64 score in (0,1] for each rank; null where `whole_ranks` finds no valid rank.

    Never increasing in rank, equal for equal ranks, independent of the rows' order.

    Raises:
        BadInput: the column holds neither numbers nor strings.
    """
    score = _SCORES[formula.scoring_type](formula.half_life).clip(SMALLEST_SCORE, 1.0)
    frame = parse_ranks(ranks).alias("rank").to_frame()
    return frame.select(pl.when(_RANK.is_not_null()).then(score).alias(ranks.name)).to_series()
