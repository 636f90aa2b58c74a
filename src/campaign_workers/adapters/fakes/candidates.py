"""Joins the rows of the entry service's fake into a data frame of candidates."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import polars as pl

from campaign_workers.domain.campaigns import CampaignType
from campaign_workers.ports.entry_service import EligibleQuery

BATCH_ROWS: Final = 20_000
"""The number of rows that are Python objects at the same time."""

Row = Mapping[str, Any]
Columns = Mapping[str, tuple[pl.DataType, Callable[[Row], Any]]]

_TEXT: Final = pl.String()
_NUMBER: Final = pl.Float64()
_TEXTS: Final = pl.List(pl.String())
_CODE: Final = pl.Struct({"market_id": pl.String(), "code": pl.String()})


def _field(name: str) -> Callable[[Row], Any]:
    return lambda row: row.get(name)


_SHARED: Final[Columns] = {
    "global_user_id": (_TEXT, _field("globalUserId")),
    "user_id": (_TEXT, _field("userId")),
    "member_id": (_TEXT, _field("memberId")),
    "email": (_TEXT, _field("email")),
    "phone": (_TEXT, _field("phone")),
    "market_ids": (_TEXTS, lambda row: row.get("marketIds", ())),
    "at": (pl.Int64(), lambda row: row["stamp"][0]),
    "key": (_TEXT, lambda row: row["stamp"][-1]),
}
REGISTERED: Final[Columns] = {
    **_SHARED,
    "first_name": (_TEXT, _field("firstName")),
    "last_name": (_TEXT, _field("lastName")),
    "locale": (_TEXT, _field("locale")),
    "opt_in_sms": (pl.Boolean(), _field("optInSms")),
}
SCORED: Final[Columns] = {
    **_SHARED,
    "score": (_NUMBER, _field("score")),
    "band_score": (_NUMBER, _field("bandScore")),
    "verdict": (pl.Int8(), _field("verdict")),
    "source": (_TEXT, _field("source")),
}
KNOWN: Final[Columns] = {
    "global_user_id": (_TEXT, _field("globalUserId")),
    "previously_selected": (pl.Boolean(), _field("selected")),
}
HELD: Final[Columns] = {
    "global_user_id": (_TEXT, _field("globalUserId")),
    "market_id": (_TEXT, _field("market")),
    "code": (_TEXT, _field("code")),
}
PREFERRED_SOURCES: Final = {
    CampaignType.REGISTRATION: ("scored", "fanlist"),
    CampaignType.FANLIST: ("fanlist", "scored"),
}
"""The sources of scores by campaign type, the preferred one first."""

_FAN: Final = "global_user_id"
_ALIASES: Final = ("user_id", "member_id", "address")


def candidates(
    kind: CampaignType,
    query: EligibleQuery,
    *,
    registrations: Iterable[Row],
    scores: Iterable[Row],
    fans: Iterable[Row],
) -> pl.DataFrame:
    """Return candidates with the columns of `EntryService.eligible`, by global user id."""
    registered = _latest(_frame(registrations, REGISTERED), _FAN)
    scored = _latest(_with_fan_ids(_frame(scores, SCORED), registered), _FAN, "source")
    joined = scored.select(_FAN).unique()
    for source in PREFERRED_SOURCES[kind]:
        own = scored.filter(pl.col("source") == source).drop("source")
        joined = joined.join(own.rename(_prefixed_names(own, source)), on=_FAN, how="left")
    joined = joined.join(registered, on=_FAN, how="left")
    for frame in _selections_and_codes(fans):
        joined = joined.join(frame, on=_FAN, how="left")
    return _candidate_columns(joined, *PREFERRED_SOURCES[kind]).filter(*_rules(query)).sort(_FAN)


def _frame(rows: Iterable[Row], columns: Columns) -> pl.DataFrame:
    frames = [pl.DataFrame(schema={name: dtype for name, (dtype, _) in columns.items()})]
    left = iter(rows)
    while chunk := list(islice(left, BATCH_ROWS)):
        frames.append(
            pl.DataFrame(
                {
                    name: _series([read(row) for row in chunk], dtype)
                    for name, (dtype, read) in columns.items()
                }
            )
        )
    return pl.concat(frames)


def _series(values: list[Any], dtype: pl.DataType) -> pl.Series:
    if dtype != _TEXTS:
        return pl.Series(values, dtype=dtype)
    # Converting lists is slow, and few of the lists of markets are distinct.
    positions: dict[tuple[str, ...], int] = {}
    indexes = [positions.setdefault(tuple(texts), len(positions)) for texts in values]
    return pl.Series([list(texts) for texts in positions], dtype=dtype).gather(indexes)


def _latest(frame: pl.DataFrame, *key: str) -> pl.DataFrame:
    """Return the latest row of each key, without rows whose fan is unknown."""
    order = [name for name in ("at", "verdict", "key", "user_id") if name in frame.columns]
    named = frame.filter(pl.col(_FAN).is_not_null())
    return named.sort(order).unique(list(key), keep="last", maintain_order=True)


def _with_fan_ids(scores: pl.DataFrame, registered: pl.DataFrame) -> pl.DataFrame:
    """Return the scores with missing global user ids filled in by means of the other ids.

    A registration with an id takes precedence over a score with it, then the smallest global user
    id.
    """
    without_fan = pl.col(_FAN).is_null()
    address = pl.col("email").str.to_lowercase().alias("address")
    unidentified = scores.filter(without_fan).with_columns(address)
    if unidentified.is_empty():
        return scores
    owners = pl.concat(
        [
            registered.select(_FAN, "user_id", "member_id", address, turn=0),
            scores.filter(~without_fan).select(_FAN, "user_id", "member_id", address, turn=1),
        ]
    ).sort("turn", _FAN)
    for alias in _ALIASES:
        having = owners.select(alias, pl.col(_FAN).alias(f"fan_of_{alias}")).drop_nulls()
        having = having.unique(alias, keep="first", maintain_order=True)
        unidentified = unidentified.join(having, on=alias, how="left")
    found = unidentified.with_columns(
        pl.coalesce([f"fan_of_{alias}" for alias in _ALIASES]).alias(_FAN)
    )
    return pl.concat([scores.filter(~without_fan), found.select(scores.columns)])


def _selections_and_codes(fans: Iterable[Row]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return whether each fan was selected, and the codes of each fan by market."""
    rows = list(fans)
    held = (
        {"globalUserId": row["globalUserId"], "market": market, "code": given["code"]}
        for row in rows
        for market, given in sorted(row["codes"].items())
    )
    codes = _frame(held, HELD).group_by(_FAN, maintain_order=True)
    return _frame(rows, KNOWN), codes.agg(codes=pl.struct("market_id", "code"))


def _prefixed_names(frame: pl.DataFrame, source: str) -> dict[str, str]:
    return {name: f"{source}_{name}" for name in frame.columns if name != _FAN}


def _candidate_columns(joined: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    """Return the columns of candidates; verdict and scores come from the same source."""

    def column(name: str) -> pl.Expr:
        has_score = pl.col(f"{first}_verdict").is_not_null()
        return pl.when(has_score).then(f"{first}_{name}").otherwise(f"{second}_{name}")

    def markets(source: str) -> pl.Expr:
        column = pl.col(f"{source}_market_ids")
        return pl.when(column.list.len() > 0).then(column)

    return joined.select(
        _FAN,
        pl.coalesce("member_id", "scored_member_id", "fanlist_member_id"),
        # Prefer scored addresses and numbers, because scrubbing has normalised them.
        pl.coalesce("scored_email", "email", "fanlist_email").alias("email"),
        pl.coalesce("scored_phone", "phone", "fanlist_phone").alias("phone"),
        "first_name",
        "last_name",
        "locale",
        pl.coalesce("market_ids", markets(first), markets(second)).alias("market_ids"),
        column("score").alias("raw_score"),
        column("band_score").fill_null(column("score")).alias("score"),
        column("verdict").alias("verdict"),
        pl.col("previously_selected").fill_null(value=False),
        "opt_in_sms",
        pl.col("codes").fill_null(pl.lit([], dtype=pl.List(_CODE))),
    )


def _rules(query: EligibleQuery) -> Iterator[pl.Expr]:
    """Yield the conditions that a candidate has to satisfy."""
    yield pl.col("verdict") == 1
    yield pl.col("raw_score").is_not_null()
    wanted = pl.element().is_in(list(query.market_ids))
    yield pl.col("market_ids").list.eval(wanted).list.any()
    if query.min_score is not None:
        yield pl.col("raw_score") >= query.min_score
    if query.max_score is not None:
        yield pl.col("raw_score") <= query.max_score
    if not query.reassign:
        yield ~pl.col("previously_selected")
