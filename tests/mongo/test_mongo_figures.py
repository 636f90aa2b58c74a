"""Statistics are counted by the server, whatever the entries look like."""

import tracemalloc
from collections.abc import Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.database import Database

from campaign_workers.adapters.mongo import entries as mongo_entries
from campaign_workers.adapters.mongo.connection import database as connect
from campaign_workers.adapters.mongo.entries import MongoEntryRepository
from campaign_workers.adapters.mongo.indexes import ensure_indexes
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.stats import AdminStats, admin_stats
from campaign_workers.domain.stats.admin import COUNT_RULES, Entry
from campaign_workers.testing.builders import CREATED, entry
from campaign_workers.testing.contracts._base import examples_share_fixtures
from campaign_workers.testing.strategies import entries
from tests.mongo.command_recorder import CommandRecorder
from tests.servers.mongo import OverMongo, relay, server_uri, uri_of
from tests.servers.mongo_documents import Document, entry_document, plant_entries

ODD: tuple[Any, ...] = (None, "", "x", 0, 1, 1.5, True, False, [], ["x", "", None, 3], {}, {"a": 1})
PARTS = ("fields", "date", "presale", "review")
FLAGS = (
    *((part,) for part in PARTS),
    ("fields", "optin_email"), ("fields", "optin_sms"), ("review", "isBlocked"),
    ("date", "phoneConfirmed"), ("presale", "codes"), ("fields", "market"),
    ("fields", "optional_markets"), ("date", "created"), ("locale",), ("referrer",),
)  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """An entry's document in which up to four fields are missing or hold anything."""
    document = entry_document(draw(entries()))
    for path in draw(st.lists(st.sampled_from(FLAGS), max_size=4)):
        *above, name = path
        holder = document
        for part in above:
            holder = part_of(holder, part)
        if draw(st.booleans()):
            holder.pop(name, None)
        else:
            holder[name] = draw(st.sampled_from(ODD))
    return document


def understood(document: Mapping[str, Any]) -> Entry:
    """The entry that a document stands for, read the long way."""
    fields, date = part_of(document, "fields"), part_of(document, "date")
    optional = fields.get("optional_markets")
    wishes = [fields.get("market"), *(optional if isinstance(optional, list) else [])]
    codes = part_of(document, "presale").get("codes")
    locale = document.get("locale")
    return Entry(
        campaign_id="tour",
        user_id=document["_id"]["user_id"],
        locale=locale if isinstance(locale, str) else None,
        market_ids=tuple(wish for wish in wishes if isinstance(wish, str) and wish),
        opt_in_email=fields.get("optin_email") is True,
        opt_in_sms=fields.get("optin_sms") is True,
        phone_confirmed=given_at_all(date.get("phoneConfirmed")),
        referrer_code="R" if given_at_all(document.get("referrer")) else None,
        blocked=part_of(document, "review").get("isBlocked") is True,
        codes={"_": "C"} if isinstance(codes, list) and codes else {},
        created=created if isinstance(created := date.get("created"), datetime) else CREATED,
    )


def part_of(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What is under a name, if fields can be in there."""
    part = document.get(name)
    return part if isinstance(part, dict) else {}


def given_at_all(value: Any) -> bool:
    """Whether there is anything to a field."""
    return value is not None and value is not False and value != ""


def test_the_pipeline_counts_what_the_domain_counts() -> None:
    """Both have the same figures, under the same names."""
    assert set(mongo_entries.COUNT_RULES) == set(COUNT_RULES)
    assert set(mongo_entries.COUNTS) == {"figures", "by_day", "by_locale", "by_market"}


class TestFigures(OverMongo):
    """The pipeline, over the wire."""

    @examples_share_fixtures
    @given(drawn=st.lists(documents(), max_size=8))
    def test_odd_documents_count_for_what_they_are(
        self, database: Database[Document], raw: Database[Document], drawn: list[Document]
    ) -> None:
        """Fields that are missing or of a wrong type fail nothing; no date counts for no day."""
        kept = [
            {**one, "_id": {"campaign_id": "tour", "user_id": f"u{number}"}}
            for number, one in enumerate(drawn)
        ]
        raw.entries.delete_many({})
        if kept:
            raw.entries.insert_many(kept)
        dated = [one for one in kept if isinstance(part_of(one, "date").get("created"), datetime)]
        assert MongoEntryRepository(database, counting_seconds=20).admin_stats(
            "tour"
        ) == attrs.evolve(
            admin_stats(map(understood, kept)), by_day=admin_stats(map(understood, dated)).by_day
        )

    def test_a_date_beyond_the_limits_is_none(self, raw: Database[Document]) -> None:
        """A database may hold years of six digits, which the one of the tests cannot."""
        limits = (CREATED - timedelta(days=1), CREATED + timedelta(days=1))
        dates = [CREATED + timedelta(days=days) for days in (-2, -1, 0, 1, 2)]
        raw.dates.insert_many({"_id": n, "at": at} for n, at in enumerate([*dates, *ODD]))
        at = mongo_entries.date_within("$at", limits)
        found = raw.dates.aggregate([{"$sort": {"_id": 1}}, {"$project": {"at": at}}])
        assert [row["at"] for row in found] == [None, *dates[1:-1], None, *[None] * len(ODD)]

    def test_no_entry_leaves_the_server(self, raw: Database[Document]) -> None:
        """A count is one aggregation and one answer, in which nothing of a fan is left."""
        plant_entries(raw, [entry(f"g{n}", email=f"fan{n}@mail.example") for n in range(300)])
        recorder = CommandRecorder()
        client: MongoClient[Document] = MongoClient(server_uri(), event_listeners=[recorder])
        with client:
            MongoEntryRepository(client[raw.name]).admin_stats("tour")
            ping, aggregate = recorder.commands
            assert (ping.command_name, aggregate.command_name) == ("ping", "aggregate")
            assert aggregate.command["allowDiskUse"] is True
        (answer,) = raw.entries.aggregate(mongo_entries.build_pipeline("tour"))
        assert "mail.example" not in str(answer)

    def test_the_client_needs_no_more_for_more_entries(
        self, database: Database[Document], raw: Database[Document]
    ) -> None:
        """Counting 3,000 entries takes the memory of counting 30."""
        repository = MongoEntryRepository(database)
        peaks = {}
        for name, entries_ in {"warm": 30, "few": 30, "many": 3000}.items():
            made = (
                entry(f"g{n}", campaign_id=name, market_ids=("nyc", "chi")) for n in range(entries_)
            )
            plant_entries(raw, made)
            tracemalloc.start()
            assert repository.admin_stats(name).total == entries_
            peaks[name] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        # Three thousand documents would be megabytes.
        assert peaks["many"] < peaks["few"] + 500_000

    def test_an_outage_is_known_before_counting(self, raw: Database[Document]) -> None:
        """While the database is away a count fails as soon as any call, not after its own limit."""
        away = connect(uri_of(raw.name), timeout_seconds=1)
        started = monotonic()
        with away.client, relay().cut(), pytest.raises(RetryLater):
            MongoEntryRepository(away, counting_seconds=60).admin_stats("tour")
        assert monotonic() - started < 20

    def test_counting_has_its_own_limit(
        self, database: Database[Document], raw: Database[Document]
    ) -> None:
        """A count that takes too long ends on client and server, and is asked for another time."""
        plant_entries(raw, [entry(f"g{n}") for n in range(2000)])
        with pytest.raises(RetryLater):
            MongoEntryRepository(database, counting_seconds=0.001).admin_stats("tour")
        assert MongoEntryRepository(database).admin_stats("tour").total == 2000

    def test_indexes_change_no_figure(
        self, database: Database[Document], raw: Database[Document]
    ) -> None:
        """With the index of the entries the figures are those without it."""
        kept = [
            entry(f"g{n}", created=CREATED + timedelta(days=n % 3), locale="fr-ca")
            for n in range(30)
        ]
        plant_entries(raw, [*kept, entry("g1", campaign_id="other")])
        repository = MongoEntryRepository(database)
        before = repository.admin_stats("tour")
        ensure_indexes(database)
        assert repository.admin_stats("tour") == before == admin_stats(kept)
        assert repository.admin_stats("unknown") == AdminStats()
