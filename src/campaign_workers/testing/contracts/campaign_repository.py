"""Contract of `CampaignRepository`."""

from collections.abc import Callable

import pytest

from campaign_workers.domain.campaigns import Campaign, Market
from campaign_workers.domain.errors import RetryLater
from campaign_workers.ports.repositories import CampaignRepository
from campaign_workers.testing.builders import campaign
from campaign_workers.testing.contracts._base import Contract, Outage

Plant = Callable[[Campaign], object]


class CampaignRepositoryContract(Contract):
    """Fixtures: `repository`; `plant`, which stores a campaign; `outage`."""

    def test_open_campaigns_are_ordered_by_id(
        self, repository: CampaignRepository, plant: Plant
    ) -> None:
        """Campaigns with status OPEN are complete and ordered by id."""
        markets = (Market(market_id="chi", city="Chicago"), Market(market_id="nyc"))
        planted = [
            campaign(name, category_id=number, markets=markets)
            for number, name in enumerate("bcaZ")
        ]
        for one in planted:
            plant(one)
        assert list(repository.open_campaigns()) == sorted(planted, key=lambda c: c.campaign_id)

    @pytest.mark.parametrize("status", ["CLOSED", "DRAFT", "open"])
    def test_only_open_campaigns_are_returned(
        self, repository: CampaignRepository, plant: Plant, status: str
    ) -> None:
        """A campaign with any other status is omitted, even if it was open before."""
        plant(campaign("a"))
        plant(campaign("b"))
        plant(campaign("a", status=status))
        assert [one.campaign_id for one in repository.open_campaigns()] == ["b"]

    def test_no_campaigns_is_no_error(self, repository: CampaignRepository) -> None:
        """Without campaigns the result is empty."""
        assert list(repository.open_campaigns()) == []

    def test_an_outage_raises_retry_later(
        self, repository: CampaignRepository, outage: Outage
    ) -> None:
        """While the database fails, calls raise `RetryLater`; afterwards they succeed."""
        with outage(), pytest.raises(RetryLater):
            list(repository.open_campaigns())
