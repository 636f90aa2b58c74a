"""Fan lists: validation of a fan club's ranks, their scores, and the manifest of its files."""

import json
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
from campaign_workers.domain.wire import from_wire, swap_spelling, to_camel, to_wire

REQUIRED_COLUMNS: Final = ("rank",)
IDS: Final = ("global_user_id", "member_id", "email")
_WIRE_IDS: Final = ", ".join(map(to_camel, IDS))
SCORE: Final = "score"

# No column of a file can have these names, because column names are stripped.
_ROW, _RANK, _SCORE, _FAN, _REASON, _IS_BEST = (
    f" {name}" for name in ("row", "rank", "score", "fan", "reason", "best")
)

_REASONS: Final[Mapping[str, pl.Expr]] = {
    "rank: missing": strip(pl.col("rank")) == "",
    "rank: expected a whole number from 1": pl.col(_RANK).is_null(),
    f"{_WIRE_IDS}: expected at least one of them": pl.col(_FAN).is_null(),
    f"expected an id of at most {MAX_PARTITION_KEY} characters": (
        pl.col(_FAN).str.len_chars() > MAX_PARTITION_KEY
    ),
}
"""Reasons to reject a row; the first that applies is recorded."""


@attrs.frozen(kw_only=True)
class Fanlist:
    """A file's rows with their scores.

    Attributes:
        columns: the columns of the file, as on the wire.
        rows: the rows in snake_case, with internal columns.
    """

    columns: tuple[str, ...]
    rows: pl.DataFrame = attrs.field(repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """Counts of rows: in = out + rejected + duplicates."""
        rejected = len(self.rows) - self.rows[_REASON].null_count()
        out = len(self._best())
        return {
            "in": len(self.rows),
            "out": out,
            "rejected": rejected,
            "duplicates": len(self.rows) - rejected - out,
        }

    def to_records(self, campaign_id: str, created: datetime) -> pl.DataFrame:
        """Return a scoring record for each fan, in file order: `partition_key` and `line`."""
        best = self._best()
        none = pl.lit([], dtype=pl.List(pl.String))
        fields = best.select(
            *(_id(name, best.columns).alias(name) for name in IDS),
            campaign_id=pl.lit(campaign_id),
            rank=pl.col(_RANK),
            score=pl.col(_SCORE),
            verdict=pl.lit(1, dtype=pl.Int64),
            tags=none,
            market_ids=none,
            source=pl.lit("fanlist"),
        )
        lines = record_lines(fields, "scoring", created)
        return lines.select(partition_key=best[_FAN], line="line")

    def scored_copy(self) -> tuple[tuple[str, ...], pl.DataFrame]:
        """Return columns and rows of the scored copy: all rows, rejected ones without a score."""
        copied = [name for name in self.columns if name != SCORE]
        scores = self.rows.with_columns(pl.col(_SCORE).alias(SCORE))
        return (*copied, SCORE), to_wire(scores).select(*copied, SCORE)

    def cells(self) -> pl.DataFrame:
        """Return the rows as they were read."""
        return self.rows.select(map(swap_spelling, self.columns))

    def rejected_rows(self) -> dict[str, list[int]]:
        """Return the numbers of the rejected rows, from 0, by reason."""
        rejected = self.rows.drop_nulls(_REASON)
        return {
            reason: rejected.filter(pl.col(_REASON) == reason)[_ROW].to_list()
            for reason in _REASONS
            if (rejected[_REASON] == reason).any()
        }

    def _best(self) -> pl.DataFrame:
        return self.rows.filter(_IS_BEST)


def score_fanlist(
    columns: Sequence[str], frames: Sequence[pl.DataFrame], formula: RankFormula
) -> Fanlist:
    """Validate and score the rows of a file.

    Of several rows of one fan (by globalUserId, else memberId, else e-mail) the one with the best
    rank counts, and of equal ranks the first. The others are duplicates; like all valid rows they
    count as rows in the formula.

    Args:
        columns: the columns of the file, as on the wire.
        frames: its rows, in String columns.
        formula: the campaign's formula.

    Raises:
        BadInput: the file has no column that identifies a fan.
    """
    if not set(map(to_camel, IDS)) & set(columns):
        raise BadInput("expected at least one of these columns", line=1, field=_WIRE_IDS)
    rows = from_wire(_concat(columns, frames))
    ids = [_id(name, rows.columns) for name in IDS]
    rows = rows.with_row_index(_ROW).with_columns(
        parse_ranks(rows["rank"]).alias(_RANK), pl.coalesce(ids).alias(_FAN)
    )
    rows = rows.with_columns(_first_reason().alias(_REASON))
    valid = pl.col(_REASON).is_null()
    scores = scores_from_ranks(rows.select(pl.when(valid).then(_RANK)).to_series(), formula)
    return Fanlist(
        columns=tuple(columns),
        rows=_with_best(rows.with_columns(scores.alias(_SCORE)), ids),
    )


def _concat(columns: Sequence[str], frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), *frames])


def _id(name: str, columns: Sequence[str]) -> pl.Expr:
    if name not in columns:
        return pl.lit(None, dtype=pl.String)
    text = strip(pl.col(name))
    if name == "email":
        text = text.str.to_lowercase()
    return pl.when(text != "").then(text)


def _first_reason() -> pl.Expr:
    reasons = (pl.when(applies).then(pl.lit(reason)) for reason, applies in _REASONS.items())
    return pl.coalesce(reasons)


def _with_best(rows: pl.DataFrame, ids: Sequence[pl.Expr]) -> pl.DataFrame:
    # A member id may equal another fan's global user id, so the kind of the id is part of the key.
    kind = pl.coalesce([pl.when(each.is_not_null()).then(n) for n, each in enumerate(ids)])
    valid = rows.filter(pl.col(_REASON).is_null()).with_columns(kind=kind)
    best = valid.sort(_RANK, _ROW).unique(["kind", _FAN], keep="first")[_ROW]
    return rows.with_columns(pl.col(_ROW).is_in(best.implode()).alias(_IS_BEST))


def build_manifest_entry(
    *, etag: str, formula: RankFormula, scored: str, counts: Mapping[str, int], rejected: Any
) -> dict[str, Any]:
    """Return the manifest entry of a file that was translated."""
    return {
        "outcome": "TRANSLATED",
        "etag": etag,
        "scoringType": formula.scoring_type,
        "halfLife": formula.half_life,
        "scored": scored,
        "count": dict(counts),
        "rejected": rejected,
    }


def build_refused_entry(etag: str, reason: str) -> dict[str, Any]:
    """Return the manifest entry of a file that could not be read."""
    return {"outcome": "REFUSED", "etag": etag, "reason": reason}


def parse_manifest(data: bytes, *, file: str) -> dict[str, Any]:
    """Return the entries of a manifest by file name.

    Raises:
        BadInput: it is not a manifest.
    """
    try:
        return dict(json.loads(data)["files"])
    except (ValueError, TypeError, KeyError):
        raise BadInput("expected a manifest", file=file, remedy="delete it") from None


def dump_manifest(files: Mapping[str, Any]) -> bytes:
    """Return a manifest with these entries as JSON, sorted by file name."""
    content = {"files": dict(sorted(files.items()))}
    return f"{json.dumps(content, indent=1, ensure_ascii=False)}\n".encode()
