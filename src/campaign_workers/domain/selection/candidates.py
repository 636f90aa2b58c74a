"""Who takes part in a selection: what a candidate row has to be, and who is eligible."""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Final

import attrs
import polars as pl

from campaign_workers.domain.contact.columns import normalise_phones
from campaign_workers.domain.contact.details import NORTH_AMERICA
from campaign_workers.domain.csv.frames import without_negative_zero
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.lottery import lottery_numbers
from campaign_workers.domain.selection.options import SelectionOptions

MOST_PREFERENCES: Final = 4


@attrs.frozen
class ColumnType:
    """What a column holds: the type it is read as, and the types it is read from."""

    name: str
    dtype: pl.DataType
    reads: Callable[[pl.DataType], bool]


_TEXT: Final = ColumnType("texts", pl.String(), lambda dtype: dtype == pl.String)
_NUMBER: Final = ColumnType("numbers", pl.Float64(), lambda dtype: dtype.is_numeric())
_VERDICT: Final = ColumnType(
    "0 and 1", pl.Int64(), lambda dtype: dtype.is_integer() or dtype == pl.Boolean
)
_FLAG: Final = ColumnType("true and false", pl.Boolean(), lambda dtype: dtype == pl.Boolean)
_LIST: Final = ColumnType(
    "lists of texts",
    pl.List(pl.String()),
    lambda dtype: isinstance(dtype, pl.List) and dtype.inner in (pl.String, pl.Null),
)

REQUIRED: Final[Mapping[str, ColumnType]] = {
    "global_user_id": _TEXT,
    "score": _NUMBER,
    "market_ids": _LIST,
}
COLUMNS: Final[Mapping[str, ColumnType]] = {
    **REQUIRED,
    "raw_score": _NUMBER,
    "verdict": _VERDICT,
    "previously_selected": _FLAG,
    "phone": _TEXT,
}
"""The columns that can decide; no other one is looked at."""


def parse_candidates(rows: pl.DataFrame, options: SelectionOptions) -> pl.DataFrame:
    """The deciding columns of these rows, in their canonical types; NaN is no score.

    Rows whose verdict is not 1 are carried along unchecked, so that a scrubbed file will do.

    Raises:
        BadInput: a column is missing or of another type; among the rows with verdict 1 a fan
            without an id or twice, more than four markets, or a market twice in a list.
    """
    needed = {*REQUIRED, "phone"} if options.exclude_intl_phone else set(REQUIRED)
    for missing in sorted(needed - set(rows.columns)):
        raise BadInput("column is missing", file="candidates", field=missing)
    read = [_read(rows.schema[name], name) for name in COLUMNS if name in rows.columns]
    candidates = rows.select(read)
    _refuse_faults(candidates)
    return candidates


def _read(dtype: pl.DataType, name: str) -> pl.Expr:
    kind = COLUMNS[name]
    if dtype != pl.Null and not kind.reads(dtype):
        raise BadInput(f"column does not hold {kind.name}", file="candidates", field=name)
    column = pl.col(name).cast(kind.dtype)
    return without_negative_zero(column.fill_nan(None)).alias(name) if kind is _NUMBER else column


_WANTED: Final = pl.col("market_ids").list
_ID: Final = pl.col("global_user_id")
_CHOICES: Final = [_WANTED.get(place, null_on_oob=True) for place in range(MOST_PREFERENCES)]
_SAME: Final = [one == other for one, other in combinations(_CHOICES, 2)]

FAULTS: Final[Mapping[str, tuple[pl.Expr, str]]] = {
    "missing": (_ID.is_null() | (_ID == ""), "global_user_id"),
    "comes twice": (_ID.is_duplicated(), "global_user_id"),
    f"has more than {MOST_PREFERENCES} markets": (
        _WANTED.len() > MOST_PREFERENCES,
        "market_ids",
    ),
    "names a market twice": (pl.any_horizontal(_SAME), "market_ids"),
}
"""What stops a selection, in words that follow the row's number and the field."""


def _refuse_faults(candidates: pl.DataFrame) -> None:
    standing = candidates.with_row_index("row", offset=1).filter(_has_stood(candidates.columns))
    for problem, (is_faulty, field) in FAULTS.items():
        faulty = standing.filter(is_faulty)["row"]
        if len(faulty):
            raise BadInput(
                f"{problem} ({len(faulty)} such rows)",
                file="candidates",
                row=faulty[0],
                field=field,
                remedy="correct the file or take the fan out",
            )


def _has_stood(columns: list[str]) -> pl.Expr:
    return pl.col("verdict") == 1 if "verdict" in columns else pl.lit(value=True)


def rank_eligible(candidates: pl.DataFrame, options: SelectionOptions) -> pl.DataFrame:
    """Those who may be taken by some market, best first.

    Columns global_user_id, market_ids, priority and lottery: priority is the score, or the
    lottery number if the selection is random; ties go to the higher lottery number, then to the
    smaller id, and never to the earlier row.
    """
    may = candidates.filter(*_rules(candidates, options))
    lottery = lottery_numbers(
        may["global_user_id"], seed=options.seed, campaign_id=options.campaign_id
    )
    priority = lottery if options.random_selection else may["score"]
    ranked = may.select(
        "global_user_id", "market_ids", priority.alias("priority"), lottery.alias("lottery")
    )
    return ranked.sort("priority", "lottery", "global_user_id", descending=[True, True, False])


def _rules(candidates: pl.DataFrame, options: SelectionOptions) -> list[pl.Expr | pl.Series]:
    """One rule a line: who does not satisfy all of them takes no part."""
    present = candidates.columns
    raw = pl.coalesce("raw_score", "score") if "raw_score" in present else pl.col("score")
    first_time = ~pl.col("previously_selected").fill_null(value=False)
    rules: list[tuple[bool, Callable[[], pl.Expr | pl.Series]]] = [
        (True, lambda: _has_stood(present)),
        (True, lambda: pl.col("score").is_finite()),
        (options.min_score is not None, lambda: raw >= options.min_score),
        (options.max_score is not None, lambda: raw <= options.max_score),
        ("previously_selected" in present and not options.reassign, lambda: first_time),
        (options.exclude_intl_phone, lambda: _has_no_foreign_phone(candidates["phone"])),
    ]
    return [rule() for applies, rule in rules if applies]


def _has_no_foreign_phone(phones: pl.Series) -> pl.Series:
    country = normalise_phones(phones)["country_code"]
    return (country == NORTH_AMERICA).fill_null(value=True)
