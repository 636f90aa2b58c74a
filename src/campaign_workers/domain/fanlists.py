"""A fan club's ranks as columns: what is valid, what a rank is worth, what is told of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers.domain.csv.frames import strip
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.ranks import RankFormula, parse_ranks, scores_from_ranks
from campaign_workers.domain.records.columns import record_lines
from campaign_workers.domain.running.events import MAX_PARTITION_KEY

REQUIRED_COLUMNS: Final = ("rank",)
IDS: Final = ("globalUserId", "memberId", "email")
SCORE: Final = "score"

# Names that no column of a file can have, because those are trimmed.
_ROW, _RANK, _SCORE, _WHO, _REASON, _IS_BEST = (
    f" {name}" for name in ("row", "rank", "score", "who", "reason", "best")
)

_REASONS: Final[Mapping[str, pl.Expr]] = {
    "rank: missing": strip(pl.col("rank")) == "",
    "rank: not a whole number from 1": pl.col(_RANK).is_null(),
    f"{', '.join(IDS)}: missing, one of them at least": pl.col(_WHO).is_null(),
    f"an id of more than {MAX_PARTITION_KEY} characters": (
        pl.col(_WHO).str.len_chars() > MAX_PARTITION_KEY
    ),
}
"""Why a row is rejected: the first that holds counts."""


@attrs.frozen(kw_only=True)
class Fanlist:
    """A file's rows with their scores; `columns` are those of the file."""

    columns: tuple[str, ...]
    rows: pl.DataFrame = attrs.field(repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """The books: in = out + rejected + duplicates."""
        rejected = len(self.rows) - self.rows[_REASON].null_count()
        out = len(self._best())
        return {
            "in": len(self.rows),
            "out": out,
            "rejected": rejected,
            "duplicates": len(self.rows) - rejected - out,
        }

    def records(self, campaign_id: str, created: datetime) -> pl.DataFrame:
        """A scoring record a fan, in file order: `partition_key` and `line`."""
        best = self._best()
        none = pl.lit([], dtype=pl.List(pl.String))
        fields = best.select(
            *(_present(name, best.columns).alias(name) for name in IDS),
            campaignId=pl.lit(campaign_id),
            rank=pl.col(_RANK),
            score=pl.col(_SCORE),
            verdict=pl.lit(1, dtype=pl.Int64),
            tags=none,
            marketIds=none,
            source=pl.lit("fanlist"),
        )
        lines = record_lines(fields, "scoring", created)
        return lines.select(partition_key=best[_WHO], line="line")

    def scored(self) -> tuple[tuple[str, ...], pl.DataFrame]:
        """Columns and rows of the scored copy: every row of the file; rejected ones score none."""
        kept = [name for name in self.columns if name != SCORE]
        return (*kept, SCORE), self.rows.select(*kept, pl.col(_SCORE).alias(SCORE))

    def cells(self) -> pl.DataFrame:
        """The rows as they were read."""
        return self.rows.select(self.columns)

    def rejected_rows(self) -> dict[str, list[int]]:
        """Numbers of the rejected rows, from 0, by reason."""
        refused = self.rows.drop_nulls(_REASON)
        return {
            reason: refused.filter(pl.col(_REASON) == reason)[_ROW].to_list()
            for reason in _REASONS
            if (refused[_REASON] == reason).any()
        }

    def _best(self) -> pl.DataFrame:
        return self.rows.filter(_IS_BEST)


def score_fanlist(
    columns: Sequence[str], frames: Sequence[pl.DataFrame], formula: RankFormula
) -> Fanlist:
    """Read and score the rows of a file, which hold texts alone.

    Rows of one fan (by globalUserId, else memberId, else e-mail) are one entry: the best rank
    counts, the first row of equal ones; the others are duplicates, and count as rows for the
    formula like all valid rows.

    Raises:
        BadInput: the file has none of the columns that name a fan.
    """
    if not set(IDS) & set(columns):
        raise BadInput("missing, one of these columns at least", line=1, field=", ".join(IDS))
    rows = pl.concat([pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), *frames])
    ids = [_present(name, columns) for name in IDS]
    rows = rows.with_row_index(_ROW).with_columns(
        parse_ranks(rows["rank"]).alias(_RANK), pl.coalesce(ids).alias(_WHO)
    )
    rows = rows.with_columns(_first_reason().alias(_REASON))
    valid = pl.col(_REASON).is_null()
    scores = scores_from_ranks(rows.select(pl.when(valid).then(_RANK)).to_series(), formula)
    return Fanlist(
        columns=tuple(columns),
        rows=_with_best(rows.with_columns(scores.alias(_SCORE)), ids),
    )


def _present(name: str, columns: Sequence[str]) -> pl.Expr:
    if name not in columns:
        return pl.lit(None, dtype=pl.String)
    text = strip(pl.col(name))
    if name == "email":
        text = text.str.to_lowercase()
    return pl.when(text != "").then(text)


def _first_reason() -> pl.Expr:
    return pl.coalesce([pl.when(holds).then(pl.lit(reason)) for reason, holds in _REASONS.items()])


def _with_best(rows: pl.DataFrame, ids: Sequence[pl.Expr]) -> pl.DataFrame:
    # A member id may look like somebody else's global user id, so its kind belongs to the fan.
    kind = pl.coalesce([pl.when(each.is_not_null()).then(n) for n, each in enumerate(ids)])
    valid = rows.filter(pl.col(_REASON).is_null()).with_columns(kind=kind)
    best = valid.sort(_RANK, _ROW).unique(["kind", _WHO], keep="first")[_ROW]
    return rows.with_columns(pl.col(_ROW).is_in(best.implode()).alias(_IS_BEST))


def manifest_entry(
    *, etag: str, formula: RankFormula, scored: str, counts: Mapping[str, int], rejected: Any
) -> dict[str, Any]:
    """What the manifest says of a file that was translated."""
    return {
        "outcome": "TRANSLATED",
        "etag": etag,
        "scoringType": formula.scoring_type,
        "halfLife": formula.half_life,
        "scored": scored,
        "count": dict(counts),
        "rejected": rejected,
    }


def refused_entry(etag: str, reason: str) -> dict[str, Any]:
    """What the manifest says of a file that could not be read."""
    return {"outcome": "REFUSED", "etag": etag, "reason": reason}
