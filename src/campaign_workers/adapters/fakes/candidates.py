"""Rows of the entry store as one frame of candidates."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import polars as pl

from campaign_workers.domain.campaigns import CampaignType
from campaign_workers.ports.entry_service import EligibleQuery

ROWS_AT_A_TIME: Final = 20_000
"""Rows that are held as Python objects at any time."""

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
COUNTING_SOURCES: Final = {
    CampaignType.REGISTRATION: ("scored", "fanlist"),
    CampaignType.FANLIST: ("fanlist", "scored"),
}
"""Whose score counts where a fan has two."""

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
    """Candidates with the columns of `EntryService.eligible`, by global user id."""
    registered = _latest(_frame(registrations, REGISTERED), _FAN)
    scored = _latest(_named(_frame(scores, SCORED), registered), _FAN, "source")
    joined = scored.select(_FAN).unique()
    for source in COUNTING_SOURCES[kind]:
        own = scored.filter(pl.col("source") == source).drop("source")
        joined = joined.join(own.rename(_prefixed(own, source)), on=_FAN, how="left")
    joined = joined.join(registered, on=_FAN, how="left")
    for known in _known(fans):
        joined = joined.join(known, on=_FAN, how="left")
    return _described(joined, *COUNTING_SOURCES[kind]).filter(*_rules(query)).sort(_FAN)


def _frame(rows: Iterable[Row], columns: Columns) -> pl.DataFrame:
    frames = [pl.DataFrame(schema={name: dtype for name, (dtype, _) in columns.items()})]
    left = iter(rows)
    while chunk := list(islice(left, ROWS_AT_A_TIME)):
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
    # Lists are slow to convert, and of the lists of wanted markets few are different.
    places: dict[tuple[str, ...], int] = {}
    taken = [places.setdefault(tuple(texts), len(places)) for texts in values]
    return pl.Series([list(texts) for texts in places], dtype=dtype).gather(taken)


def _latest(frame: pl.DataFrame, *place: str) -> pl.DataFrame:
    """The row that counts in each place; rows of nobody that we know fall out."""
    order = [name for name in ("at", "verdict", "key", "user_id") if name in frame.columns]
    named = frame.filter(pl.col(_FAN).is_not_null())
    return named.sort(order).unique(list(place), keep="last", maintain_order=True)


def _named(scores: pl.DataFrame, registered: pl.DataFrame) -> pl.DataFrame:
    """The scores, those without a global user id named by whoever has their other ids.

    Whoever registered with an id has it before whoever was only scored with it; of several the
    smaller global user id.
    """
    nameless = pl.col(_FAN).is_null()
    address = pl.col("email").str.to_lowercase().alias("address")
    orphans = scores.filter(nameless).with_columns(address)
    if orphans.is_empty():
        return scores
    owners = pl.concat(
        [
            registered.select(_FAN, "user_id", "member_id", address, turn=0),
            scores.filter(~nameless).select(_FAN, "user_id", "member_id", address, turn=1),
        ]
    ).sort("turn", _FAN)
    for alias in _ALIASES:
        having = owners.select(alias, pl.col(_FAN).alias(f"fan_of_{alias}")).drop_nulls()
        having = having.unique(alias, keep="first", maintain_order=True)
        orphans = orphans.join(having, on=alias, how="left")
    found = orphans.with_columns(pl.coalesce([f"fan_of_{alias}" for alias in _ALIASES]).alias(_FAN))
    return pl.concat([scores.filter(~nameless), found.select(scores.columns)])


def _known(fans: Iterable[Row]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who was selected, and the codes that fans have, by market."""
    rows = list(fans)
    held = (
        {"globalUserId": row["globalUserId"], "market": market, "code": given["code"]}
        for row in rows
        for market, given in sorted(row["codes"].items())
    )
    codes = _frame(held, HELD).group_by(_FAN, maintain_order=True)
    return _frame(rows, KNOWN), codes.agg(codes=pl.struct("market_id", "code"))


def _prefixed(frame: pl.DataFrame, source: str) -> dict[str, str]:
    return {name: f"{source}_{name}" for name in frame.columns if name != _FAN}


def _described(joined: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    """The columns of a candidate; verdict and scores come from one source, never mixed."""

    def counting(name: str) -> pl.Expr:
        known = pl.col(f"{first}_verdict").is_not_null()
        return pl.when(known).then(f"{first}_{name}").otherwise(f"{second}_{name}")

    def wanted(source: str) -> pl.Expr:
        column = pl.col(f"{source}_market_ids")
        return pl.when(column.list.len() > 0).then(column)

    return joined.select(
        _FAN,
        pl.coalesce("member_id", "scored_member_id", "fanlist_member_id"),
        # Scrubbing has put scored addresses and numbers into the form that can be used.
        pl.coalesce("scored_email", "email", "fanlist_email").alias("email"),
        pl.coalesce("scored_phone", "phone", "fanlist_phone").alias("phone"),
        "first_name",
        "last_name",
        "locale",
        pl.coalesce("market_ids", wanted(first), wanted(second)).alias("market_ids"),
        counting("score").alias("raw_score"),
        counting("band_score").fill_null(counting("score")).alias("score"),
        counting("verdict").alias("verdict"),
        pl.col("previously_selected").fill_null(value=False),
        "opt_in_sms",
        pl.col("codes").fill_null(pl.lit([], dtype=pl.List(_CODE))),
    )


def _rules(query: EligibleQuery) -> Iterator[pl.Expr]:
    """One rule a line: who does not satisfy all of them is no candidate."""
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
