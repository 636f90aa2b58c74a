"""Scrubbing: who may take part in a campaign's draw, and why not.

`scrub` does it to one frame. Files of any size go through the same three steps in batches:
`examined` decides what a row shows by itself, a `Competition` finds out which of several clean
rows of a fan or of a phone stays, `finished` writes verdict and tags.
"""

from collections.abc import Callable, Iterable
from typing import Final

import attrs
import polars as pl

from campaign_workers.domain.bands import band_of, band_score
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.lottery import lottery_expr
from campaign_workers.domain.scrub.contests import KEYS_AT_ONCE, ROW, Contest, entrants, within
from campaign_workers.domain.scrub.facts import facts, normalised, require_columns
from campaign_workers.domain.scrub.policy import ScrubPolicy
from campaign_workers.domain.scrub.rules import (
    DISQUALIFYING,
    MARKS,
    RULES,
    TAGS,
    has_valid_phone,
    is_clean,
    marks_of,
    row_marks,
    tag_lists,
)

__all__ = [
    "RULES",
    "TAGS",
    "Competition",
    "ScrubPolicy",
    "examined",
    "finished",
    "scrub",
]

OUTCOME: Final = {
    "band": pl.String(),
    "band_score": pl.Float64(),
    "verdict": pl.Int8(),
    "tags": pl.List(pl.String),
}
"""The columns that a scrub adds."""

OURS: Final = frozenset({ROW, MARKS})
"""The columns that rows have only while they are scrubbed."""

DECISIVE: Final = (ROW, MARKS, "campaign_id", "global_user_id", "email", "phone", "score")
"""The columns of examined rows that a competition looks at."""


def scrub(fans: pl.DataFrame | pl.LazyFrame, policy: ScrubPolicy) -> pl.LazyFrame:
    """The same rows in the same order, normalised, with band, band_score, verdict and tags.

    Args:
        fans: global_user_id, campaign_id, email, phone, score (numbers or texts), and if there
            are any member_id, phone_confirmed (String or Boolean), market_ids (List[String]);
            other columns are carried through.
        policy: the lists and options of the campaign. Rows of several campaigns do not compete
            with each other.

    Raises:
        BadInput: a required column is missing, or another has a name that we keep for ourselves.
    """
    fans = fans.lazy()
    schema = fans.collect_schema()
    require_columns(schema)
    if taken := OURS.intersection(schema):
        raise BadInput("a reserved name", field=", ".join(sorted(taken)))
    texts = {name: pl.String() for name in ("global_user_id", "campaign_id", "email", "phone")}
    if "member_id" in schema:
        texts["member_id"] = pl.String()
    return fans.map_batches(
        lambda frame: _scrubbed(frame, policy),
        schema=schema | texts | {"score": pl.Float64()} | OUTCOME,
    )


def examined(fans: pl.DataFrame, policy: ScrubPolicy) -> pl.DataFrame:
    """The rows normalised and banded, with the marks (`MARKS`) that they earn by themselves.

    Raises:
        BadInput: a required column is missing.
    """
    require_columns(fans.schema)
    fans, country_codes = normalised(fans)
    score, ids = pl.col("score"), pl.col("global_user_id").fill_null("")
    campaign = pl.col("campaign_id").fill_null("")
    number = lottery_expr(ids, seed=policy.lottery_seed, campaign_id=campaign)
    numbers = fans.select(number).to_series()
    return fans.with_columns(
        row_marks(facts(fans, country_codes, policy)),
        band=band_of(score),
        band_score=band_score(score, pl.lit(numbers)),
    )


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


def finished(rows: pl.DataFrame) -> pl.DataFrame:
    """The judged rows with verdict and tags, without the columns of our own."""
    marks = rows[MARKS]
    verdict = ((marks & DISQUALIFYING) == 0).cast(pl.Int8).alias("verdict")
    return rows.drop(ROW, MARKS).with_columns(verdict, tag_lists(marks))


def _scrubbed(fans: pl.DataFrame, policy: ScrubPolicy) -> pl.DataFrame:
    rows = examined(fans, policy).with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW))
    competition = Competition()
    competition.enter(rows)
    competition.settle(lambda: [rows.select(DECISIVE)])
    return finished(competition.judged(rows))
