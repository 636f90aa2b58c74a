"""Read the files of a selection: candidates, quotas and picks."""

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from campaign_workers.domain.csv import frames as columns
from campaign_workers.domain.csv.frames import read_frames
from campaign_workers.domain.csv.rows import read_rows
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.selection.options import MarketQuota
from campaign_workers.domain.wire import to_camel, to_snake
from campaign_workers.entrypoints.cli.files import require_file

DELIMITERS: Final = {".csv": ",", ".txt": "\t", ".tsv": "\t"}


def _read_text(path: Path) -> pl.DataFrame:
    with path.open("rb") as source:
        delimiter = DELIMITERS[path.suffix.lower()]
        table = read_frames(source, file=str(path), required=(), delimiter=delimiter)
        none = pl.DataFrame(schema=dict.fromkeys(table.columns, pl.String))
        return pl.concat([none, *table.frames])


READERS: Final[Mapping[str, Callable[[Path], pl.DataFrame]]] = {
    **dict.fromkeys(DELIMITERS, _read_text),
    ".parquet": pl.read_parquet,
    ".avro": pl.read_avro,
}
"""Readers by file suffix."""

_ROW: Final = " row"
"""Column with the position of each row; input columns are trimmed, so none has this name."""

_IDS: Final = ("global_user_id", "campaign_id", "market_id")
_NUMBERS: Final = ("score", "band_score", "raw_score")
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}


def read_candidates(path: Path, campaign_id: str) -> pl.DataFrame:
    """Return the candidates of a CSV, Parquet or Avro file as `select_fans` takes them.

    The priority score is `bandScore` if present, else `score`; the raw score is `rawScore` if
    present, else `score`. With a `campaign_id`, rows of other campaigns are ignored.

    Raises:
        BadInput: the file cannot be read, lacks a column, or has an invalid value.
    """
    frame = _read(path)
    _require(path, frame, ("global_user_id", "score", "market_ids"))
    frame = _of_campaign(path, frame, campaign_id)
    for name in (name for name in _NUMBERS if name in frame.columns):
        frame = _to_numbers(path, frame, name, pl.Float64)
    if "verdict" in frame.columns:
        frame = _to_numbers(path, frame, "verdict", pl.Int8)
    if "previously_selected" in frame.columns:
        frame = _to_boolean(path, frame, "previously_selected")
    if "phone" in frame.columns:
        frame = frame.with_columns(pl.col("phone").replace("", None))
    if frame.schema["market_ids"] == pl.String:
        frame = frame.with_columns(columns.split_lists(pl.col("market_ids")))
    return _with_scores(frame)


def read_quotas(path: Path) -> tuple[MarketQuota, ...]:
    """Return the quotas of a file with marketId and limit, such as market details.

    Raises:
        BadInput: the file cannot be read, lacks a column, has an invalid limit, or has a market
            twice.
    """
    frame = _read(path)
    _require(path, frame, ("market_id", "limit"))
    frame = _to_numbers(path, frame, "limit", pl.Int64)
    quotas: dict[str, MarketQuota] = {}
    for row, (market, limit) in enumerate(frame.select("market_id", "limit").iter_rows()):
        wrong = (
            (not market, "marketId", "empty"),
            (market in quotas, "marketId", "duplicate"),
            (limit is None or limit < 0, "limit", "expected a whole number >= 0"),
        )
        for is_wrong, field, problem in wrong:
            if is_wrong:
                raise _at(path, frame, row, BadInput(problem, field=field))
        quotas[market] = MarketQuota(market, limit)
    return tuple(quotas.values())


def read_picks(path: Path) -> pl.DataFrame:
    """Return the picks of a file that `select` wrote.

    Raises:
        BadInput: the file cannot be read, lacks a column, or has an invalid value.
    """
    frame = _read(path)
    _require(path, frame, ("global_user_id", "market_id", "preference_rank", "priority"))
    frame = _to_numbers(path, frame, "preference_rank", pl.Int64)
    return _to_numbers(path, frame, "priority", pl.Float64)


def _read(path: Path) -> pl.DataFrame:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise BadInput("unsupported file type", file=str(path), remedy=f"use {', '.join(READERS)}")
    require_file(path)
    try:
        frame = reader(path)
        frame = frame.rename({name: to_snake(name.strip()) for name in frame.columns})
    except PolarsError as error:
        reason = "empty" if not path.stat().st_size else f"not readable ({type(error).__name__})"
        raise BadInput(reason, file=str(path)) from None
    ids = [name for name in _IDS if frame.schema.get(name) == pl.String]
    return frame.with_columns(columns.strip(pl.col(ids))).with_row_index(_ROW)


def _require(path: Path, frame: pl.DataFrame, names: tuple[str, ...]) -> None:
    if missing := [to_camel(name) for name in names if name not in frame.columns]:
        between = {",": "commas", "\t": "tabs"}.get(DELIMITERS.get(path.suffix.lower(), ""))
        raise BadInput(
            "missing",
            file=str(path),
            line=1 if between else None,
            field=", ".join(missing),
            remedy=between and f"the first line must name the columns, separated by {between}",
        )


def locate_error(path: Path, frame: pl.DataFrame, error: BadInput) -> BadInput:
    """Return the error of a row of `frame` with file and line in place of the row number."""
    if error.row is None:
        return error.within(str(path))
    return _at(path, frame, error.row - 1, error)


def _at(path: Path, frame: pl.DataFrame, position: int, error: BadInput) -> BadInput:
    row = frame[_ROW][position]
    place = {"row": row + 1}
    if delimiter := DELIMITERS.get(path.suffix.lower()):
        # Cells may contain line breaks and blank lines are not rows, so read up to the row.
        with path.open("rb") as source:
            rows = read_rows(source, file=str(path), required=(), delimiter=delimiter)
            place = {"line": next(islice(rows, row, None)).line}
    field = error.field and to_camel(error.field)
    return BadInput(error.problem, file=str(path), **place, field=field, remedy=error.remedy)


def _of_campaign(path: Path, frame: pl.DataFrame, campaign_id: str) -> pl.DataFrame:
    if "campaign_id" not in frame.columns:
        return frame
    if campaign_id:
        return frame.filter(pl.col("campaign_id") == campaign_id)
    if frame["campaign_id"].n_unique() > 1:
        raise BadInput(
            "contains several campaigns", file=str(path), remedy="choose one with --campaign-id"
        )
    return frame


def _to_numbers(
    path: Path, frame: pl.DataFrame, name: str, dtype: type[pl.DataType]
) -> pl.DataFrame:
    """Convert a column to numbers; empty cells become null."""
    column = frame[name]
    if column.dtype == pl.String:
        column = column.str.strip_chars().replace("", None)
    typed = column.cast(dtype, strict=False)
    kind = "number" if dtype == pl.Float64 else "whole number"
    return _require_converted(path, frame, column, typed, f"expected a {kind}")


def _to_boolean(path: Path, frame: pl.DataFrame, name: str) -> pl.DataFrame:
    column = frame[name]
    if column.dtype == pl.Boolean:
        return frame
    text = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    typed = text.replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    return _require_converted(path, frame, column, typed, "expected true or false")


def _require_converted(
    path: Path, frame: pl.DataFrame, column: pl.Series, typed: pl.Series, problem: str
) -> pl.DataFrame:
    wrong = (typed.is_null() & column.is_not_null()).arg_true()
    if wrong.len():
        raise _at(path, frame, wrong[0], BadInput(problem, field=column.name))
    return frame.with_columns(typed.alias(column.name))


def _with_scores(frame: pl.DataFrame) -> pl.DataFrame:
    raw, priority = (
        pl.coalesce([name for name in (first, "score") if name in frame.columns])
        for first in ("raw_score", "band_score")
    )
    return frame.with_columns(raw_score=raw, score=priority)
