"""Contract of `EntryRepository`."""

from collections.abc import Callable, Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.stats.admin import (
    MAX_PREFERENCES,
    AdminStats,
    Entry,
    admin_stats,
)
from campaign_workers.ports.repositories import EntryRepository
from campaign_workers.testing.builders import entry
from campaign_workers.testing.contracts._base import Contract, Outage, examples_share_fixtures
from campaign_workers.testing.strategies import entries

Plant = Callable[[Sequence[Entry]], object]


def with_unique_ids(number: int, kept: Entry, campaign_id: str) -> Entry:
    """Return the entry with unique ids and codes, as a store requires them."""
    return attrs.evolve(
        kept,
        campaign_id=campaign_id,
        user_id=f"u{number}",
        global_user_id=f"{campaign_id}-g{number}",
        market_ids=kept.market_ids[:MAX_PREFERENCES],
        codes={market: f"{campaign_id}-{number}-{market}" for market in kept.codes},
    )


class EntryRepositoryContract(Contract):
    """Fixtures: `repository`; `plant`, which stores entries; `fresh_id`; `outage`."""

    @examples_share_fixtures
    @given(drawn=st.lists(entries(), max_size=12))
    def test_figures_equal_the_domain(
        self,
        repository: EntryRepository,
        plant: Plant,
        fresh_id: Callable[[], str],
        drawn: list[Entry],
    ) -> None:
        """The figures of the database equal those that the domain computes."""
        campaign_id = fresh_id()
        kept = [with_unique_ids(number, one, campaign_id) for number, one in enumerate(drawn)]
        plant(kept)
        assert repository.admin_stats(campaign_id) == admin_stats(kept)

    def test_figures_follow_the_entries(self, repository: EntryRepository, plant: Plant) -> None:
        """Entries added after a count are in the next one."""
        plant([entry("g1")])
        assert repository.admin_stats("tour").total == 1
        plant([entry("g2", blocked=True), entry("g3", codes={"nyc": "A"})])
        stats = repository.admin_stats("tour")
        assert (stats.total, stats.blocked, stats.with_code) == (3, 1, 1)

    def test_an_unknown_campaign_has_zero_figures(
        self, repository: EntryRepository, plant: Plant
    ) -> None:
        """Entries count only for their own campaign."""
        plant([entry("g1")])
        assert repository.admin_stats("unknown") == AdminStats()

    def test_an_outage_raises_retry_later(
        self, repository: EntryRepository, outage: Outage
    ) -> None:
        """While the database fails, calls raise `RetryLater`; afterwards they succeed."""
        with outage(), pytest.raises(RetryLater):
            repository.admin_stats("tour")
