"""Code assignment records of a wave file, built for whole frames of rows.

The rules are those of `Registrant` and `Record` for a single row.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import polars as pl

from campaign_workers.domain.codes import CODE_ASSIGNMENT, TM
from campaign_workers.domain.csv.frames import strip
from campaign_workers.domain.records.columns import record_lines
from campaign_workers.domain.running.events import MAX_PARTITION_KEY
from campaign_workers.domain.waves.config import WaveConfig
from campaign_workers.domain.waves.files import REASON_COLUMN

_CELLS: Final = ("globalUserId", "memberId", "marketId", "code")
_CODE: Final = pl.col("code")
_KEY: Final = pl.when(_CODE == TM).then("globalUserId").otherwise(_CODE)
"""The code, so that events of one code stay in order; the fan's id for `TM`."""

_REASONS: Final[Mapping[str, pl.Expr]] = {
    "globalUserId: missing": pl.col("globalUserId") == "",
    "code: missing": _CODE == "",
    f"partition key: empty, or over {MAX_PARTITION_KEY} characters": (
        _KEY.str.len_chars() > MAX_PARTITION_KEY
    ),
}
"""Reason -> whether a row is rejected for it; the first one that applies counts."""


def assignment_records(rows: pl.DataFrame, config: WaveConfig, created: datetime) -> pl.DataFrame:
    """Build the records of the rows that have a code, in order.

    Args:
        rows: the cells of the file, as strings.
        config: gives the campaign and the category of the records.
        created: the time of creation of the records.

    Returns:
        The columns `partition_key`, `data` (JSON in UTF-8, Binary) and `dedupe_key`.
    """
    cells = _cells(rows)
    coded = cells.filter(_reason(cells).is_null())
    fields = coded.select(
        *(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in _CELLS),
        campaignId=pl.lit(config.campaign_id),
        categoryId=pl.lit(config.category_id, dtype=pl.Int64),
    )
    lines = record_lines(fields, CODE_ASSIGNMENT, created)
    return coded.select(
        partition_key=_KEY, data=lines["line"].cast(pl.Binary), dedupe_key=lines["dedupe_key"]
    )


def rejected_rows(rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows without a record, each with its `reason` among the cells."""
    reason = _reason(_cells(rows)).alias(REASON_COLUMN)
    return rows.with_columns(reason).drop_nulls(REASON_COLUMN).iter_rows(named=True)


def _cells(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the relevant cells, trimmed; cells of a missing column are empty."""
    return rows.select(
        strip(pl.col(name)) if name in rows.columns else pl.lit("").alias(name) for name in _CELLS
    )


def _reason(cells: pl.DataFrame) -> pl.Series:
    first = pl.coalesce([pl.when(holds).then(pl.lit(text)) for text, holds in _REASONS.items()])
    return cells.select(first).to_series()
