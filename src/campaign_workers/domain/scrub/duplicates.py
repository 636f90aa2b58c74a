"""Who ranks highest among rows that want the same thing, and which rows that one outranks.

Rows rank by score, then by the smaller globalUserId, e-mail and phone; of rows equal in all four
the first one stays. A contest over rows that come in batches keeps eight bytes a row, a hash that
tells which keys may occur twice at all, and then looks closely at the rows with those keys alone.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import attrs
import polars as pl

from campaign_workers.domain.scrub.rules import (
    MARKS,
    has_valid_phone,
    is_clean,
    marks_of,
)

ROW: Final = "__row"
"""Position of a row in the whole input."""

ROW_TYPE: Final = pl.UInt32

KEYS_AT_ONCE: Final = 500_000
"""Contested keys whose best rows are held in memory together."""

_TEXTS: Final = ("global_user_id", "email", "phone")

Replay = Callable[[], Iterable[pl.DataFrame]]
"""Gives the same rows once more, batch by batch."""


def entrants(rows: pl.DataFrame) -> pl.DataFrame:
    """What a contest looks at: position, campaign, score and the texts, none of them null."""
    texts = ("campaign_id", *_TEXTS)
    return rows.select(ROW, "score", *(pl.col(name).fill_null("") for name in texts))


def best(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """The highest ranking one of the `entrants` of each campaign and `key`."""
    ranked = rows.sort("score", *_TEXTS, ROW, descending=[True, False, False, False, False])
    return ranked.unique(["campaign_id", key], keep="first", maintain_order=True)


@attrs.define
class Contest:
    """A contest for each value of one column, `global_user_id` or `phone`, in each campaign."""

    key: str
    keys_at_once: int = KEYS_AT_ONCE
    _prints: list[pl.Series] = attrs.field(factory=list, init=False, repr=False)

    def enter(self, rows: pl.DataFrame) -> None:
        """Announce a batch of `entrants`; the replay may bring all of them or fewer."""
        self._prints.append(rows.select(self._print()).to_series())

    def outranked(self, replay: Replay) -> pl.Series:
        """Positions of the entrants that another one outranks, ascending."""
        lost = [self._outranked_among(keys, replay) for keys in self._contested_keys()]
        return pl.concat([pl.Series(dtype=ROW_TYPE), *lost]).sort()

    def _print(self) -> pl.Expr:
        return pl.struct("campaign_id", self.key).hash()

    def _contested_keys(self) -> Iterator[pl.Series]:
        prints = pl.concat([pl.Series(dtype=pl.UInt64), *self._prints]).sort()
        self._prints.clear()
        repeated = prints.filter(prints == prints.shift(1)).unique(maintain_order=True)
        for start in range(0, len(repeated), self.keys_at_once):
            yield repeated.slice(start, self.keys_at_once)

    def _outranked_among(self, keys: pl.Series, replay: Replay) -> pl.Series:
        is_contested = self._print().is_in(keys.implode())
        rows: list[pl.Series] = []
        best_rows: list[pl.DataFrame] = []
        for batch in replay():
            contested = batch.filter(is_contested)
            rows.append(contested[ROW])
            best_rows.append(contested)
            # Sorting once for as many rows as are kept makes any number of batches cheap.
            if sum(map(len, best_rows[1:])) > max(len(best_rows[0]), self.keys_at_once):
                best_rows = [best(pl.concat(best_rows), self.key)]
        everyone = pl.concat(rows)
        winners = best(pl.concat(best_rows), self.key)[ROW]
        return everyone.filter(~everyone.is_in(winners.implode()))


def within(positions: pl.Series, rows: pl.Series) -> pl.Series:
    """Which of the `rows`, consecutive positions, are among the ascending `positions`."""
    if positions.is_empty() or rows.is_empty():
        return pl.repeat(value=False, n=len(rows), dtype=pl.Boolean, eager=True)
    first, last = positions.search_sorted(pl.Series([rows[0], rows[-1] + 1], dtype=ROW_TYPE))
    return rows.is_in(positions.slice(first, last - first).implode())


DECISIVE: Final = (ROW, MARKS, "campaign_id", "global_user_id", "email", "phone", "score")
"""The columns of examined rows that a competition looks at."""


@attrs.define
class Competition:
    """Which clean rows give way: of one fan's rows first, then of one phone's.

    Every batch of examined rows, numbered by `ROW`, enters once; `settle` then sees all of them
    again, and `judged` gives each batch its final marks.
    """

    keys_at_once: int = KEYS_AT_ONCE
    _fans: Contest = attrs.field(init=False)
    _phones: Contest = attrs.field(init=False)
    _outranked: dict[str, pl.Series] = attrs.field(factory=dict, init=False, repr=False)

    @_fans.default
    def _for_fans(self) -> Contest:
        return Contest("global_user_id", self.keys_at_once)

    @_phones.default
    def _for_phones(self) -> Contest:
        return Contest("phone", self.keys_at_once)

    def enter(self, rows: pl.DataFrame) -> None:
        """Announce a batch; it holds the `DECISIVE` columns at least."""
        clean = rows.filter(is_clean())
        self._fans.enter(entrants(clean))
        self._phones.enter(entrants(clean.filter(has_valid_phone())))

    def settle(self, replay: Callable[[], Iterable[pl.DataFrame]]) -> None:
        """Decide; `replay` gives every batch again, with the `DECISIVE` columns."""
        self._outranked["duplicateFan"] = self._fans.outranked(
            lambda: (entrants(rows.filter(is_clean())) for rows in replay())
        )
        self._outranked["duplicatePhone"] = self._phones.outranked(
            lambda: (
                entrants(rows.filter(is_clean() & has_valid_phone()))
                for rows in map(self.judged, replay())
            )
        )

    def judged(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The batch with the marks of those that gave way, as far as it is decided."""
        marks = rows[MARKS]
        for tag, positions in self._outranked.items():
            gives_way = within(positions, rows[ROW])
            marks = marks | gives_way.cast(pl.UInt16) * marks_of(tag)
        return rows.with_columns(marks)
