"""The fake of the entry service satisfies its contracts, and joins records like a simple model."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
from campaign_workers.adapters.fakes.entries import FakeEntryService
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.adapters.fakes.users import FakeUserService
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.campaigns import Campaign, CampaignType
from campaign_workers.domain.codes import NO_MARKET, Assignment
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.stats import admin_stats
from campaign_workers.domain.stats.admin import Entry
from campaign_workers.testing.builders import (
    CREATED,
    assignment,
    batch,
    campaign,
    registration,
    scoring,
)
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.candidates import (
    Feed,
    candidates,
    candidates_columns,
    records,
)
from campaign_workers.testing.contracts.entry_repository import EntryRepositoryContract, Plant
from campaign_workers.testing.contracts.entry_service import EntryServiceContract
from tests.candidate_oracle import expected_candidates
from tests.contracts.over_tables import FreshIds, OverTables


class TestEntryService(OverTables, EntryServiceContract):
    """`FakeEntryService` as the entry service, with small pages, so that there are several."""

    @pytest.fixture
    def service(self, tables: Tables, clock: SteppedClock) -> FakeEntryService:
        return FakeEntryService(tables, clock, page_size=4)

    @pytest.fixture
    def plant(self, tables: Tables) -> Callable[[Campaign], object]:
        return FakeCampaignService(tables).put

    @pytest.fixture
    def feed(self, service: FakeEntryService) -> Feed:
        return lambda kept: service.consume(batch(kept))

    @pytest.fixture
    def fresh_id(self) -> Callable[[], str]:
        return FreshIds()

    @pytest.fixture
    def outage(self, service: FakeEntryService) -> Outage:
        return service.faults.outage


class TestEntryRepository(OverTables, EntryRepositoryContract):
    """`FakeEntryService` as the collection of entries."""

    @pytest.fixture
    def repository(self, tables: Tables, clock: SteppedClock) -> FakeEntryService:
        return FakeEntryService(tables, clock)

    @pytest.fixture
    def plant(self, repository: FakeEntryService) -> Plant:
        def plant(kept: Sequence[Entry]) -> None:
            for entry in kept:
                put(repository, entry)

        return plant

    @pytest.fixture
    def fresh_id(self) -> Callable[[], str]:
        return FreshIds()

    @pytest.fixture
    def outage(self, repository: FakeEntryService) -> Outage:
        return repository.faults.outage


def put(store: FakeEntryService, entry: Entry) -> None:
    """Deliver the records that lead to an entry."""
    registered = registration(
        entry.global_user_id,
        campaignId=entry.campaign_id,
        userId=entry.user_id,
        locale=entry.locale,
        marketIds=list(entry.market_ids),
        optInEmail=entry.opt_in_email,
        optInSms=entry.opt_in_sms,
        phoneConfirmed="2026-09-02T10:00:00Z" if entry.phone_confirmed else None,
        referrerCode=entry.referrer_code,
        created=iso_utc(entry.created),
    )
    tags = ["blockedEmail"] if entry.blocked else ["missingPhone"]
    scored = scoring(entry.global_user_id, campaignId=entry.campaign_id, tags=tags)
    store.consume(batch([registered, scored]))
    for market, code in entry.codes.items():
        request = Assignment(
            global_user_id=entry.global_user_id or "",
            code=code,
            market_id=None if market == NO_MARKET else market,
        )
        store.assign_codes(entry.campaign_id, [request])


@given(kept=records, kind=st.sampled_from(CampaignType), assigned=st.booleans())
def test_candidates_are_those_of_the_slow_way(
    kept: list[dict[str, Any]], kind: CampaignType, assigned: bool
) -> None:
    """The columnar join equals a join record by record."""
    tables = DictTables()
    FakeCampaignService(tables).put(campaign(type=kind))
    store = FakeEntryService(tables, SteppedClock(CREATED), page_size=3)
    store.consume(batch(kept))
    if assigned:
        store.assign_codes("tour", [assignment("g1", "A"), assignment("g2", "B", market_id=None)])
    held = {"g1": {"nyc": "A"}, "g2": {NO_MARKET: "B"}} if assigned else {}
    expected = expected_candidates(kept, kind, held)
    assert candidates(store, reassign=True) == expected
    assert candidates(store) == [row for row in expected if not row["previously_selected"]]


@given(kept=records)
def test_figures_are_those_of_the_entries(kept: list[dict[str, Any]]) -> None:
    """The figures are those of the store's entries."""
    store = FakeEntryService(DictTables(), SteppedClock(CREATED))
    store.consume(batch(kept))
    users = {record["userId"] for record in kept if record["type"] == "registration"}
    assert store.admin_stats("tour") == admin_stats(store.entries("tour"))
    assert store.admin_stats("tour").total == len(users)


class TestEntries(OverTables):
    """Behaviour that is specific to this fake."""

    @pytest.fixture
    def store(self, tables: Tables, clock: SteppedClock) -> FakeEntryService:
        FakeCampaignService(tables).put(campaign())
        return FakeEntryService(tables, clock, page_size=10)

    def test_pages_are_full(self, store: FakeEntryService) -> None:
        """All pages but the last are full, and rows are ordered by id."""
        store.consume(batch(scoring(f"g{number:02d}") for number in range(25)))
        pages = list(store.eligible(query()))
        assert [len(page) for page in pages] == [10, 10, 5]
        assert [tuple(page.columns) for page in pages] == [candidates_columns()] * 3
        assert pages[0]["global_user_id"].is_sorted()

    def test_a_code_makes_an_entry(self, store: FakeEntryService) -> None:
        """A fan with a code but no registration is an entry, until the registration arrives."""
        store.assign_codes("tour", [assignment(user_id="u9"), assignment("g2", "B", user_id=None)])
        later = assignment("g1", "C", market_id="chi", created=CREATED + timedelta(days=1))
        store.assign_codes("tour", [later])
        first, second = store.entries("tour")
        assert (first.user_id, first.created) == ("u9", CREATED)
        assert first.codes == {"nyc": "CODE1", "chi": "C"}
        assert (second.user_id, second.global_user_id) == ("", "g2")
        store.consume(batch([registration()]))
        assert store.admin_stats("tour").total == 2
        assert [entry.user_id for entry in store.entries("tour")] == ["u-g1", ""]

    def test_figures_follow_the_codes(self, store: FakeEntryService) -> None:
        """A code that is assigned after a count is in the next count."""
        store.consume(batch([registration()]))
        assert store.admin_stats("tour").with_code == 0
        store.assign_codes("tour", [assignment()])
        assert store.admin_stats("tour").with_code == 1

    def test_the_latest_score_says_who_is_blocked(self, store: FakeEntryService) -> None:
        """A fan is blocked as long as the latest score says so."""
        blocked = scoring(verdict=0, tags=["blockedDomain"])
        store.consume(batch([registration(), blocked, scoring(source="fanlist")]))
        assert store.admin_stats("tour").blocked == 1
        store.consume(batch([scoring(created="2026-09-11T00:00:00Z")]))
        store.consume(batch([blocked]))
        assert store.admin_stats("tour").blocked == 0

    def test_registrations_tell_who_is_which_user(
        self, store: FakeEntryService, tables: Tables
    ) -> None:
        """The user id of a fan is that of the latest registration."""
        late = registration("g1", userId="new", created="2026-09-02T00:00:00Z")
        store.consume(batch([late, registration("g1", userId="old"), registration(None)]))
        store.consume(batch([registration("g1", userId="older", created="2026-08-02T00:00:00Z")]))
        users = FakeUserService(tables)
        users.put("g2", "u2")
        assert users.user_ids(["g1", "g2"]) == {"g1": "new", "g2": "u2"}
        store.consume(batch([registration("g2", userId="u3")]))
        assert users.user_ids(["g2"]) == {"g2": "u3"}

    def test_ids_are_taken_as_they_are(self, store: FakeEntryService, tables: Tables) -> None:
        """No character of an id makes two campaigns one, or two fans."""
        FakeCampaignService(tables).put(campaign("a"))
        FakeCampaignService(tables).put(campaign("a.b"))
        store.consume(batch([scoring("b/g1", campaignId="a"), scoring("g1", campaignId="a.b")]))
        store.assign_codes("a/b", [assignment("g1", "X")])
        store.assign_codes("a", [assignment("b/g1", "Y")])
        assert [row["global_user_id"] for row in candidates(store, "a.b")] == ["g1"]
        (row,) = candidates(store, "a", reassign=True)
        assert row["codes"] == [{"market_id": "nyc", "code": "Y"}]

    def test_a_failed_batch_leaves_nothing(
        self, store: FakeEntryService, tables: Tables, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A killed batch is rolled back in all tables and can be delivered again."""
        kept = [registration(), scoring(tags=["blockedEmail"])]
        with monkeypatch.context() as patched:
            patched.setattr(FakeEntryService, "_write_blocked", died)
            with pytest.raises(KeyboardInterrupt):
                store.consume(batch(kept))
        assert list(store.entries("tour")) == []
        assert FakeUserService(tables).user_ids(["g1"]) == {}
        store.consume(batch(kept))
        assert store.admin_stats("tour").blocked == 1

    def test_dates_default_to_the_clock(self, store: FakeEntryService, clock: SteppedClock) -> None:
        """An assignment without a date gets the current one."""
        clock.advance(timedelta(hours=1))
        store.assign_codes("tour", [assignment(created=None)])
        assert store.codes("tour", ["g1"])["g1"]["nyc"][1] == CREATED + timedelta(hours=1)


def query() -> Any:
    """Everybody who wants New York."""
    from campaign_workers.ports.entry_service import EligibleQuery

    return EligibleQuery(campaign_id="tour", market_ids=("nyc",))


def died(*_: object) -> Iterable[None]:
    """Die."""
    raise KeyboardInterrupt
