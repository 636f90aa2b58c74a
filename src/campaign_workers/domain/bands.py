"""Score bands: the score decides the band, the lottery number the place inside the band."""

from collections.abc import Callable
from math import nextafter
from typing import Final

import attrs
import polars as pl


@attrs.frozen
class Band:
    """Scores from `lower` up to but not including `upper`; the highest band includes 1.0."""

    name: str
    lower: float
    upper: float

    @property
    def width(self) -> float:
        """The difference between `upper` and `lower`."""
        return self.upper - self.lower

    @property
    def last(self) -> float:
        """The largest band score: the last double below the next band."""
        return nextafter(self.upper, self.lower)


HIGHEST_FIRST: Final = (
    Band("high", 0.95, 1.0),
    Band("mid", 0.80, 0.95),
    Band("low", 0.22, 0.80),
)
UNBANDED: Final = "none"
"""The name for scores below all bands, whose band score is the score."""

NAMES: Final = (*(band.name for band in HIGHEST_FIRST), UNBANDED)


def band_name(score: pl.Expr) -> pl.Expr:
    """Return the name of the band of a score in 0..1; null for a null score.

    Args:
        score: in 0..1.
    """
    return _by_band(score, lambda band: pl.lit(band.name), below=pl.lit(UNBANDED))


def band_score(score: pl.Expr, lottery_number: pl.Expr) -> pl.Expr:
    """Return the band score: lower + width * lottery number, kept below the next band.

    Args:
        score: in 0..1; a null gives a null, a score below all bands is returned as it is.
        lottery_number: in [0,1).
    """
    return _by_band(
        score,
        lambda band: (band.lower + band.width * lottery_number).clip(band.lower, band.last),
        below=score,
    )


def _by_band(score: pl.Expr, inside: Callable[[Band], pl.Expr], *, below: pl.Expr) -> pl.Expr:
    result = below
    for band in reversed(HIGHEST_FIRST):
        result = pl.when(score >= band.lower).then(inside(band)).otherwise(result)
    return pl.when(score.is_not_null()).then(result)
