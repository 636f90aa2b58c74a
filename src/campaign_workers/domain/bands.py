"""Score bands: the score decides the band, the lottery number the place inside it."""

from collections.abc import Callable
from math import nextafter
from typing import Final

import attrs
import polars as pl


@attrs.frozen
class Band:
    """Scores from `lower` up to and without `upper`; the highest band takes 1.0 in."""

    name: str
    lower: float
    upper: float

    @property
    def width(self) -> float:
        """How far apart two band scores can be."""
        return self.upper - self.lower

    @property
    def last(self) -> float:
        """The largest band score: the last number below the next band."""
        return nextafter(self.upper, self.lower)


HIGHEST_FIRST: Final = (
    Band("high", 0.95, 1.0),
    Band("mid", 0.80, 0.95),
    Band("low", 0.22, 0.80),
)
UNBANDED: Final = "none"
"""The band below all bands, where the score stands for itself."""

NAMES: Final = (*(band.name for band in HIGHEST_FIRST), UNBANDED)


def band_name(score: pl.Expr) -> pl.Expr:
    """The band's name of a score in 0..1, null for a null score."""
    return _by_band(score, lambda band: pl.lit(band.name), below=pl.lit(UNBANDED))


def band_score(score: pl.Expr, lottery_number: pl.Expr) -> pl.Expr:
    """The band score: lower + width * lottery number, kept below the next band.

    Args:
        score: in 0..1; a null has no band score, one below all bands is its own.
        lottery_number: in [0,1).
    """
    return _by_band(
        score,
        lambda band: (band.lower + band.width * lottery_number).clip(band.lower, band.last),
        below=score,
    )


def _by_band(score: pl.Expr, inside: Callable[[Band], pl.Expr], *, below: pl.Expr) -> pl.Expr:
    chosen = below
    for band in reversed(HIGHEST_FIRST):
        chosen = pl.when(score >= band.lower).then(inside(band)).otherwise(chosen)
    return pl.when(score.is_not_null()).then(chosen)
