"""The `EntryRepository` port on MongoDB: statistics counted by one aggregation pipeline.

The server reads each entry once. It keeps and returns one counter for each day, each locale and
each rank of a market, so neither its memory nor the response grows with the number of entries.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pymongo
from pymongo.database import Database

from campaign_workers.adapters.mongo.documents import Document, collection
from campaign_workers.adapters.mongo.errors import translate_errors
from campaign_workers.domain.stats.admin import MAX_PREFERENCES, UNKNOWN_LOCALE, AdminStats

Expression = Mapping[str, Any]


def _is_present(path: str) -> Expression:
    return {"$not": [{"$in": [{"$ifNull": [path, ""]}, ["", False]]}]}


def _is_true(path: str) -> Expression:
    return {"$eq": [path, True]}


def _is_text(path: str) -> Expression:
    return {"$and": [{"$eq": [{"$type": path}, "string"]}, {"$ne": [path, ""]}]}


def _list(path: str) -> Expression:
    return {"$cond": [{"$isArray": [path]}, path, []]}


COUNT_RULES: Final[Mapping[str, Expression]] = {
    "confirmed_phones": _is_present("$date.phoneConfirmed"),
    "opted_in_email": _is_true("$fields.optin_email"),
    "opted_in_sms": _is_true("$fields.optin_sms"),
    "blocked": _is_true("$review.isBlocked"),
    "referred": _is_present("$referrer"),
    "with_code": {"$ne": [_list("$presale.codes"), []]},
}
"""When an entry counts for a figure: the rules of `domain.stats.admin` as expressions."""

_WRITABLE_DATES: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def date_within(path: str, limits: tuple[datetime, datetime] = _WRITABLE_DATES) -> Expression:
    """Return an expression for the date at `path`: null for a non-date or a date beyond `limits`.

    By default, the limits exclude years that `$dateToString` cannot format.
    """
    first, last = limits
    within = {"$and": [{"$gte": [path, first]}, {"$lte": [path, last]}]}
    is_date = {"$eq": [{"$type": path}, "date"]}
    return {"$cond": [is_date, {"$cond": [within, path, None]}, None]}


_PREFERENCES: Final = {"$concatArrays": [["$fields.market"], _list("$fields.optional_markets")]}

PROJECTION: Final[Mapping[str, Any]] = {
    "_id": 0,
    **COUNT_RULES,
    "day": {"$dateToString": {"date": date_within("$date.created"), "format": "%Y-%m-%d"}},
    "locale": {"$cond": [_is_text("$locale"), "$locale", UNKNOWN_LOCALE]},
    "markets": {
        "$slice": [
            {"$filter": {"input": _PREFERENCES, "as": "market", "cond": _is_text("$$market")}},
            MAX_PREFERENCES,
        ]
    },
}
"""The first stage keeps only what is counted of an entry."""

_ONE: Final = {"$sum": 1}

COUNTS: Final[Mapping[str, list[Any]]] = {
    "figures": [
        {
            "$group": {
                "_id": None,
                "total": _ONE,
                **{name: {"$sum": {"$cond": [f"${name}", 1, 0]}} for name in COUNT_RULES},
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


COUNTING_TIMEOUT_SECONDS: Final = 240


class MongoEntryRepository:
    """Serves `EntryRepository` from the collection `entries`.

    Counting reads every entry of a campaign and therefore has a timeout of its own.
    """

    def __init__(
        self, database: Database[Document], *, counting_seconds: float = COUNTING_TIMEOUT_SECONDS
    ) -> None:
        self._entries = collection(database, "entries")
        self._counting_seconds = counting_seconds

    @translate_errors()
    def admin_stats(self, campaign_id: str) -> AdminStats:
        """See `EntryRepository.admin_stats`; counted on the server, in one pass."""
        # Ping first: the aggregation's own timeout is much longer.
        self._entries.database.command("ping", read_preference=self._entries.read_preference)
        with (
            pymongo.timeout(self._counting_seconds),
            self._entries.aggregate(build_pipeline(campaign_id), allowDiskUse=True) as responses,
        ):
            return parse_stats(responses.next())


def build_pipeline(campaign_id: str) -> list[Mapping[str, Any]]:
    """Return the pipeline whose single result `parse_stats` reads."""
    return [
        {"$match": {"_id.campaign_id": campaign_id}},
        {"$project": PROJECTION},
        {"$facet": COUNTS},
    ]


def parse_stats(result: Mapping[str, Any]) -> AdminStats:
    """Return the statistics in the pipeline's result; an entry without a date has no day."""
    totals: Mapping[str, Any] = next(iter(result["figures"]), {})
    by_market: dict[str, list[int]] = {}
    for row in result["by_market"]:
        ranks = by_market.setdefault(row["_id"]["market"], [0] * MAX_PREFERENCES)
        ranks[row["_id"]["rank"]] = row["entries"]
    return AdminStats(
        **{name: count for name, count in totals.items() if name != "_id"},
        by_day=_counts_by_name(result["by_day"]),
        by_locale=_counts_by_name(result["by_locale"]),
        by_market={market: tuple(ranks) for market, ranks in sorted(by_market.items())},
    )


def _counts_by_name(rows: list[Mapping[str, Any]]) -> dict[str, int]:
    counts = {row["_id"]: row["entries"] for row in rows if row["_id"] is not None}
    return dict(sorted(counts.items()))
