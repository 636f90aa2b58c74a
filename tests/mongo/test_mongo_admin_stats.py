"""`adminStats` has two writers, and neither touches what is the other's."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient, ReadPreference
from pymongo.database import Database

from campaign_workers.adapters.mongo.admin_stats import MongoAdminStatsRepository
from campaign_workers.adapters.mongo.documents import escape_names, unescape_names
from campaign_workers.domain.stats import AdminStats
from campaign_workers.testing.builders import CREATED
from campaign_workers.testing.contracts._base import examples_share_fixtures, race
from tests.mongo.command_recorder import CommandRecorder
from tests.servers.mongo import OverMongo, server_uri
from tests.servers.mongo_documents import Document

STATS = AdminStats(total=2, by_market={"nyc": (2, 0, 0, 0)}, by_locale={"en-us": 2})

names = st.text(st.sampled_from("a.$%\0é2E"), max_size=4) | st.text(max_size=4)
counts = st.dictionaries(names, st.integers(0, 2**40), max_size=3)
posts = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
).map(lambda value: {"posted": value})


@given(posts)
def test_any_name_can_be_that_of_a_field(value: Any) -> None:
    """What is stored is read back, and its names have none of the marks that servers refuse."""
    assert unescape_names(escape_names(value)) == value
    assert not {".", "$", "\0"} & set("".join(names_in(escape_names(value))))


def names_in(value: Any) -> list[str]:
    """The names of fields at any depth."""
    if isinstance(value, dict):
        return [*value, *(name for part in value.values() for name in names_in(part))]
    return [name for part in value for name in names_in(part)] if isinstance(value, list) else []


class TestAdminStats(OverMongo):
    """`MongoAdminStatsRepository` and its documents."""

    def test_the_document_is_plain(
        self, database: Database[Document], raw: Database[Document]
    ) -> None:
        """Figures, time and last post are in the documented fields."""
        repository = MongoAdminStatsRepository(database)
        repository.save("tour", STATS, now=CREATED)
        repository.mark_posted("tour", {"total": 2})
        assert raw.adminStats.find_one() == {
            "_id": "tour",
            "stats": STATS.to_json(),
            "updated": CREATED,
            "lastPosted": {"total": 2},
        }

    @examples_share_fixtures
    @given(locales=counts, markets=counts, posted=posts)
    def test_names_of_markets_and_locales_may_be_anything(
        self,
        database: Database[Document],
        locales: dict[str, int],
        markets: dict[str, int],
        posted: dict[str, Any],
    ) -> None:
        """Whatever fans wrote, figures and the last post come back as they were."""
        stats = AdminStats(
            by_locale=locales, by_market={m: (n, 0, 0, 0) for m, n in markets.items()}
        )
        repository = MongoAdminStatsRepository(database)
        repository.save("tour", stats, now=CREATED)
        repository.mark_posted("tour", posted)
        document = repository.read("tour")
        assert document is not None
        assert (document.stats, document.last_posted) == (stats, posted)

    def test_fields_of_others_stay(
        self, database: Database[Document], raw: Database[Document]
    ) -> None:
        """Fields of other services in the document survive both writers."""
        raw.adminStats.insert_one({"_id": "tour", "pinned": True, "lastPosted": {"total": 1}})
        repository = MongoAdminStatsRepository(database)
        repository.save("tour", STATS, now=CREATED)
        repository.mark_posted("tour", {"total": 2})
        document = raw.adminStats.find_one()
        assert document is not None
        assert (document["pinned"], document["lastPosted"]) == (True, {"total": 2})

    def test_writers_at_the_same_moment_lose_nothing(self, database: Database[Document]) -> None:
        """First saves race for one document; later ones leave a post that comes meanwhile."""
        repository = MongoAdminStatsRepository(database)
        later = datetime(2026, 9, 2, tzinfo=UTC)
        results = race(*[lambda: repository.save("tour", STATS, now=CREATED)] * 6)
        assert results == [None] * 6
        race(
            *[lambda: repository.save("tour", AdminStats(total=3), now=later)] * 4,
            lambda: repository.mark_posted("tour", {"total": 2}),
        )
        document = repository.read("tour")
        assert document is not None
        assert (document.stats.total, document.updated) == (3, later)
        assert document.last_posted == {"total": 2}

    def test_what_was_posted_is_read_from_the_primary(self, raw: Database[Document]) -> None:
        """A secondary that lags would have the same posted again."""
        recorder = CommandRecorder()
        client: MongoClient[Document] = MongoClient(
            server_uri(), event_listeners=[recorder], readPreference="secondaryPreferred"
        )
        with client:
            MongoAdminStatsRepository(client[raw.name]).read("tour")
            (find,) = recorder.commands
            mode = find.command.get("$readPreference", {}).get("mode", "primary")
        assert mode in {ReadPreference.PRIMARY.mongos_mode, "primaryPreferred"}
