"""What every repository of markets promises."""

from collections.abc import Callable

import pytest

from campaign_workers.domain.campaigns import Campaign, Market, TicketType
from campaign_workers.domain.errors import RetryLater
from campaign_workers.ports.repositories import MarketRepository
from campaign_workers.testing.builders import campaign
from campaign_workers.testing.contracts._base import Contract, Outage

Plant = Callable[[Campaign], object]


class MarketRepositoryContract(Contract):
    """Fixtures: `repository`; `plant`, which puts a campaign with its markets; `outage`."""

    def test_markets_come_by_id(self, repository: MarketRepository, plant: Plant) -> None:
        """Markets of a campaign come whole and sorted; other campaigns' stay away."""
        chicago = Market(market_id="chi", name="Chicago", ticket_type=TicketType.NON_TM)
        boston = Market(market_id="bos", city="Boston", timezone="America/New_York")
        plant(campaign(markets=(chicago, boston)))
        plant(campaign("other", markets=(Market(market_id="lax"),)))
        assert repository.markets("tour") == (boston, chicago)

    def test_nobody_has_no_markets(self, repository: MarketRepository, plant: Plant) -> None:
        """An unknown campaign has no markets, and neither has one without any."""
        plant(campaign("bare", markets=()))
        assert repository.markets("bare") == ()
        assert repository.markets("unknown") == ()

    def test_an_outage_asks_for_another_try(
        self, repository: MarketRepository, outage: Outage
    ) -> None:
        """While the database fails the work is given back."""
        with outage(), pytest.raises(RetryLater):
            repository.markets("tour")
