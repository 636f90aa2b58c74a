"""Candidates of a selection: validation of their rows, and which of them are eligible."""

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

MAX_PREFERENCES: Final = 4


@attrs.frozen
class ColumnType:
    """The type of a column.

    Attributes:
        name: its name in errors.
        dtype: the type to which it is cast.
        accepts: whether a type can be cast.
    """

    name: str
    dtype: pl.DataType
    accepts: Callable[[pl.DataType], bool]


_TEXT: Final = ColumnType("strings", pl.String(), lambda dtype: dtype == pl.String)
_NUMBER: Final = ColumnType("numbers", pl.Float64(), lambda dtype: dtype.is_numeric())
_VERDICT: Final = ColumnType(
    "0 and 1", pl.Int64(), lambda dtype: dtype.is_integer() or dtype == pl.Boolean
)
_FLAG: Final = ColumnType("true and false", pl.Boolean(), lambda dtype: dtype == pl.Boolean)
_LIST: Final = ColumnType(
    "lists of strings",
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
"""The columns that determine the selection; all others are ignored."""


def parse_candidates(rows: pl.DataFrame, options: SelectionOptions) -> pl.DataFrame:
    """Return the `COLUMNS` of candidates in their canonical types, with null for a score of NaN.

    Rows whose verdict is not 1 are kept without validation, so a scrubbed file can be used.

    Raises:
        BadInput: a column is missing or has another type; or a row with verdict 1 has no id, an
            id that occurs twice, more than four markets, or a market twice.
    """
    needed = {*REQUIRED, "phone"} if options.exclude_intl_phone else set(REQUIRED)
    for missing in sorted(needed - set(rows.columns)):
        raise BadInput("column is missing", file="candidates", field=missing)
    columns = [_cast(rows.schema[name], name) for name in COLUMNS if name in rows.columns]
    candidates = rows.select(columns)
    _check_rows(candidates)
    return candidates


def _cast(dtype: pl.DataType, name: str) -> pl.Expr:
    kind = COLUMNS[name]
    if dtype != pl.Null and not kind.accepts(dtype):
        raise BadInput(f"expected {kind.name}, got {dtype}", file="candidates", field=name)
    column = pl.col(name).cast(kind.dtype)
    return without_negative_zero(column.fill_nan(None)).alias(name) if kind is _NUMBER else column


_WANTED: Final = pl.col("market_ids").list
_ID: Final = pl.col("global_user_id")
_CHOICES: Final = [_WANTED.get(place, null_on_oob=True) for place in range(MAX_PREFERENCES)]
_SAME: Final = [one == other for one, other in combinations(_CHOICES, 2)]

FAULTS: Final[Mapping[str, tuple[pl.Expr, str]]] = {
    "value is missing": (_ID.is_null() | (_ID == ""), "global_user_id"),
    "occurs twice": (_ID.is_duplicated(), "global_user_id"),
    f"has more than {MAX_PREFERENCES} markets": (
        _WANTED.len() > MAX_PREFERENCES,
        "market_ids",
    ),
    "contains a market twice": (pl.any_horizontal(_SAME), "market_ids"),
}
"""Faults of a row by the problem that the error states, each with its field."""


def _check_rows(candidates: pl.DataFrame) -> None:
    checked = candidates.with_row_index("row", offset=1).filter(_is_in(candidates.columns))
    for problem, (is_faulty, field) in FAULTS.items():
        faulty = checked.filter(is_faulty)["row"]
        if len(faulty):
            raise BadInput(
                f"{problem} ({len(faulty)} such rows)",
                file="candidates",
                row=faulty[0],
                field=field,
                remedy="correct the row or remove it",
            )


def _is_in(columns: list[str]) -> pl.Expr:
    return pl.col("verdict") == 1 if "verdict" in columns else pl.lit(value=True)


def rank_eligible(candidates: pl.DataFrame, options: SelectionOptions) -> pl.DataFrame:
    """Return the eligible fans, best first.

    Ties go to the higher lottery number, then to the smaller id; the order of rows never decides.

    Returns:
        Columns global_user_id, market_ids, priority (the score, or the lottery number if the
        selection is random) and lottery.
    """
    fans = candidates.filter(*_rules(candidates, options))
    lottery = lottery_numbers(
        fans["global_user_id"], seed=options.seed, campaign_id=options.campaign_id
    )
    priority = lottery if options.random_selection else fans["score"]
    ranked = fans.select(
        "global_user_id", "market_ids", priority.alias("priority"), lottery.alias("lottery")
    )
    return ranked.sort("priority", "lottery", "global_user_id", descending=[True, True, False])


def _rules(candidates: pl.DataFrame, options: SelectionOptions) -> list[pl.Expr | pl.Series]:
    """Return the rules that apply; an eligible fan satisfies all of them."""
    present = candidates.columns
    raw = pl.coalesce("raw_score", "score") if "raw_score" in present else pl.col("score")
    first_time = ~pl.col("previously_selected").fill_null(value=False)
    rules: list[tuple[bool, Callable[[], pl.Expr | pl.Series]]] = [
        (True, lambda: _is_in(present)),
        (True, lambda: pl.col("score").is_finite()),
        (options.min_score is not None, lambda: raw >= options.min_score),
        (options.max_score is not None, lambda: raw <= options.max_score),
        ("previously_selected" in present and not options.reassign, lambda: first_time),
        (options.exclude_intl_phone, lambda: _has_no_international_phone(candidates["phone"])),
    ]
    return [rule() for applies, rule in rules if applies]


def _has_no_international_phone(phones: pl.Series) -> pl.Series:
    country = normalise_phones(phones)["country_code"]
    return (country == NORTH_AMERICA).fill_null(value=True)
