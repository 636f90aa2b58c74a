"""Contract of `MarketRepository`."""

from collections.abc import Callable

import pytest

from campaign_workers.domain.campaigns import Campaign, Market, TicketType
from campaign_workers.domain.errors import RetryLater
from campaign_workers.ports.repositories import MarketRepository
from campaign_workers.testing.builders import campaign
from campaign_workers.testing.contracts._base import Contract, Outage

Plant = Callable[[Campaign], object]


class MarketRepositoryContract(Contract):
    """Fixtures: `repository`; `plant`, which stores a campaign with its markets; `outage`."""

    def test_markets_are_ordered_by_id(self, repository: MarketRepository, plant: Plant) -> None:
        """The markets of a campaign are complete and ordered by id."""
        chicago = Market(market_id="chi", name="Chicago", ticket_type=TicketType.NON_TM)
        boston = Market(market_id="bos", city="Boston", timezone="America/New_York")
        plant(campaign(markets=(chicago, boston)))
        plant(campaign("other", markets=(Market(market_id="lax"),)))
        assert repository.markets("tour") == (boston, chicago)

    def test_a_campaign_may_have_no_markets(
        self, repository: MarketRepository, plant: Plant
    ) -> None:
        """Unknown campaigns, and campaigns without markets, have none."""
        plant(campaign("bare", markets=()))
        assert repository.markets("bare") == ()
        assert repository.markets("unknown") == ()

    def test_an_outage_raises_retry_later(
        self, repository: MarketRepository, outage: Outage
    ) -> None:
        """While the database fails, calls raise `RetryLater`; afterwards they succeed."""
        with outage(), pytest.raises(RetryLater):
            repository.markets("tour")
