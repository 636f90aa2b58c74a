"""Contract of `AdminStatsRepository`."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import NotFound, RetryLater
from campaign_workers.domain.stats.admin import AdminStats, Entry, admin_stats
from campaign_workers.ports.repositories import AdminStatsRepository, StatsDocument
from campaign_workers.testing.builders import CREATED, entry
from campaign_workers.testing.contracts._base import Contract, Outage, examples_share_fixtures
from campaign_workers.testing.strategies import entries

STATS = admin_stats([entry(locale="en-us", market_ids=("nyc",)), entry("g2", opt_in_sms=True)])
POSTED = {"total": 2, "byMarket": {"nyc": [1, 0, 0, 0]}, "at": "2026-09-01T00:00:00Z"}

CALLS: dict[str, Callable[[AdminStatsRepository], object]] = {
    "save": lambda repository: repository.save("tour", STATS, now=CREATED),
    "read": lambda repository: repository.read("tour"),
    "mark_posted": lambda repository: repository.mark_posted("tour", POSTED),
}


class AdminStatsRepositoryContract(Contract):
    """Fixtures: `repository`; `outage`."""

    def test_nothing_is_stored_at_first(self, repository: AdminStatsRepository) -> None:
        """A campaign without statistics returns None, not zeros."""
        assert repository.read("tour") is None

    @examples_share_fixtures
    @given(stored=st.lists(entries(), max_size=20))
    def test_figures_are_read_as_they_were_saved(
        self, repository: AdminStatsRepository, stored: list[Entry]
    ) -> None:
        """All figures are returned, with the time of saving."""
        stats = admin_stats(stored)
        repository.save("tour", stats, now=CREATED)
        assert repository.read("tour") == StatsDocument(stats=stats, updated=CREATED)

    def test_the_latest_figures_replace_the_former(self, repository: AdminStatsRepository) -> None:
        """Nothing of the former figures stays, neither a market nor a day."""
        later = CREATED + timedelta(minutes=5, milliseconds=1)
        repository.save("tour", STATS, now=CREATED)
        repository.save("tour", AdminStats(), now=later)
        assert repository.read("tour") == StatsDocument(stats=AdminStats(), updated=later)

    def test_saving_leaves_what_was_posted(self, repository: AdminStatsRepository) -> None:
        """The figures and the last post are written by different workers, independently."""
        repository.save("tour", STATS, now=CREATED)
        repository.mark_posted("tour", POSTED)
        assert repository.read("tour") == StatsDocument(
            stats=STATS, updated=CREATED, last_posted=POSTED
        )
        repository.save("tour", AdminStats(total=3), now=CREATED)
        assert repository.read("tour") == StatsDocument(
            stats=AdminStats(total=3), updated=CREATED, last_posted=POSTED
        )
        repository.mark_posted("tour", {"total": 3})
        assert repository.read("tour") == StatsDocument(
            stats=AdminStats(total=3), updated=CREATED, last_posted={"total": 3}
        )

    def test_campaigns_do_not_see_each_other(self, repository: AdminStatsRepository) -> None:
        """Each campaign has its own figures."""
        repository.save("tour", STATS, now=CREATED)
        assert repository.read("other") is None

    def test_a_campaign_without_statistics_cannot_be_marked(
        self, repository: AdminStatsRepository
    ) -> None:
        """Marking it fails and stores nothing."""
        with pytest.raises(NotFound):
            repository.mark_posted("tour", POSTED)
        assert repository.read("tour") is None

    @pytest.mark.parametrize("call", CALLS)
    def test_an_outage_raises_retry_later(
        self, repository: AdminStatsRepository, outage: Outage, call: str
    ) -> None:
        """While the database fails, calls raise `RetryLater`; afterwards they succeed."""
        repository.save("tour", STATS, now=CREATED)
        with outage(), pytest.raises(RetryLater):
            CALLS[call](repository)
        CALLS[call](repository)
