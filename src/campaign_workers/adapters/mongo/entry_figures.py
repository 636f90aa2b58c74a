"""`domain.stats.admin` as one pipeline, and its answer as figures.

The server reads each entry once. What it keeps is a counter for each day, each locale and each
rank of a market, and what it answers is those counters: neither grows with the entries.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from campaign_workers.domain.stats.admin import MAX_PREFERENCES, UNKNOWN_LOCALE, AdminStats

Expression = Mapping[str, Any]


def _given(path: str) -> Expression:
    return {"$not": [{"$in": [{"$ifNull": [path, ""]}, ["", False]]}]}


def _is_true(path: str) -> Expression:
    return {"$eq": [path, True]}


def _is_text(path: str) -> Expression:
    return {"$and": [{"$eq": [{"$type": path}, "string"]}, {"$ne": [path, ""]}]}


def _list(path: str) -> Expression:
    return {"$cond": [{"$isArray": [path]}, path, []]}


COUNTED: Final[Mapping[str, Expression]] = {
    "confirmed_phones": _given("$date.phoneConfirmed"),
    "opted_in_email": _is_true("$fields.optin_email"),
    "opted_in_sms": _is_true("$fields.optin_sms"),
    "blocked": _is_true("$review.isBlocked"),
    "referred": _given("$referrer"),
    "with_code": {"$ne": [_list("$presale.codes"), []]},
}
"""What makes an entry count for a figure: `domain.stats.COUNTED` in the server's words."""

_YEARS: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def date_within(path: str, limits: tuple[datetime, datetime] = _YEARS) -> Expression:
    """The date at `path`, null if it is none or of a year that no server can write down."""
    first, last = limits
    within = {"$and": [{"$gte": [path, first]}, {"$lte": [path, last]}]}
    is_date = {"$eq": [{"$type": path}, "date"]}
    return {"$cond": [is_date, {"$cond": [within, path, None]}, None]}


_WISHES: Final = {"$concatArrays": [["$fields.market"], _list("$fields.optional_markets")]}

FACTS: Final[Mapping[str, Any]] = {
    "_id": 0,
    **COUNTED,
    "day": {"$dateToString": {"date": date_within("$date.created"), "format": "%Y-%m-%d"}},
    "locale": {"$cond": [_is_text("$locale"), "$locale", UNKNOWN_LOCALE]},
    "markets": {
        "$slice": [
            {"$filter": {"input": _WISHES, "as": "wish", "cond": _is_text("$$wish")}},
            MAX_PREFERENCES,
        ]
    },
}
"""What is counted of an entry, so that nothing else of it goes on."""

_ONE: Final = {"$sum": 1}

COUNTS: Final[Mapping[str, list[Any]]] = {
    "figures": [
        {
            "$group": {
                "_id": None,
                "total": _ONE,
                **{name: {"$sum": {"$cond": [f"${name}", 1, 0]}} for name in COUNTED},
            }
        }
    ],
    "by_day": [{"$group": {"_id": "$day", "entries": _ONE}}],
    "by_locale": [{"$group": {"_id": "$locale", "entries": _ONE}}],
    "by_market": [
        {"$unwind": {"path": "$markets", "includeArrayIndex": "rank"}},
        {"$group": {"_id": {"market": "$markets", "rank": "$rank"}, "entries": _ONE}},
    ],
}


def pipeline(campaign_id: str) -> list[Mapping[str, Any]]:
    """The stages whose one answer `figures` reads."""
    return [{"$match": {"_id.campaign_id": campaign_id}}, {"$project": FACTS}, {"$facet": COUNTS}]


def figures(answer: Mapping[str, Any]) -> AdminStats:
    """The figures in the answer to `pipeline`; an entry without a date counts for no day."""
    totals: Mapping[str, Any] = next(iter(answer["figures"]), {})
    by_market: dict[str, list[int]] = {}
    for row in answer["by_market"]:
        ranks = by_market.setdefault(row["_id"]["market"], [0] * MAX_PREFERENCES)
        ranks[row["_id"]["rank"]] = row["entries"]
    return AdminStats(
        **{name: count for name, count in totals.items() if name != "_id"},
        by_day=_by_name(answer["by_day"]),
        by_locale=_by_name(answer["by_locale"]),
        by_market={market: tuple(ranks) for market, ranks in sorted(by_market.items())},
    )


def _by_name(rows: list[Mapping[str, Any]]) -> dict[str, int]:
    counts = {row["_id"]: row["entries"] for row in rows if row["_id"] is not None}
    return dict(sorted(counts.items()))
