"""Contract of `CampaignService`."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.campaigns import Campaign, Market
from campaign_workers.domain.errors import NotFound, RetryLater
from campaign_workers.ports.campaign_service import CampaignService
from campaign_workers.testing.builders import campaign
from campaign_workers.testing.contracts._base import Contract, Outage, examples_share_fixtures
from campaign_workers.testing.strategies import campaigns

Plant = Callable[[Campaign], object]

CALLS: dict[str, Callable[[CampaignService], object]] = {
    "campaign": lambda service: service.campaign("tour"),
    "campaign_ids": lambda service: service.campaign_ids([1]),
    "markets": lambda service: service.markets("tour"),
}


class CampaignServiceContract(Contract):
    """Fixtures: `service`; `plant`, which stores a campaign behind the service; `outage`."""

    @examples_share_fixtures
    @given(planted=campaigns())
    def test_a_campaign_is_complete(
        self, service: CampaignService, plant: Plant, planted: Campaign
    ) -> None:
        """All fields are returned, with the markets in the campaign's order."""
        plant(planted)
        assert service.campaign(planted.campaign_id) == planted
        assert service.markets(planted.campaign_id) == planted.markets

    def test_the_latest_version_is_returned(self, service: CampaignService, plant: Plant) -> None:
        """A changed campaign is returned in its current version."""
        plant(campaign(status="OPEN"))
        plant(campaign(status="CLOSED"))
        assert service.campaign("tour").status == "CLOSED"

    def test_markets_keep_their_order(self, service: CampaignService, plant: Plant) -> None:
        """Markets have the campaign's order, whatever their ids."""
        plant(campaign(markets=tuple(Market(market_id=market) for market in ("b", "c", "a"))))
        assert [market.market_id for market in service.markets("tour")] == ["b", "c", "a"]

    def test_an_unknown_campaign_is_not_found(self, service: CampaignService, plant: Plant) -> None:
        """An unknown id has neither a campaign nor markets."""
        plant(campaign("other"))
        with pytest.raises(NotFound):
            service.campaign("tour")
        with pytest.raises(NotFound):
            service.markets("tour")

    def test_campaigns_are_found_by_category(self, service: CampaignService, plant: Plant) -> None:
        """Categories without a campaign are omitted."""
        for number in (1, 2, 3):
            plant(campaign(f"c{number}", category_id=number))
        plant(campaign("none", category_id=None))
        assert service.campaign_ids([1, 3, 9]) == {1: "c1", 3: "c3"}
        assert service.campaign_ids([9]) == {}
        assert service.campaign_ids([]) == {}

    @examples_share_fixtures
    @given(category_ids=st.lists(st.integers(-(2**53) + 1, 2**53 - 1), max_size=300))
    def test_any_number_of_categories_is_looked_up(
        self, service: CampaignService, category_ids: list[int]
    ) -> None:
        """Unknown categories are omitted, whatever their number."""
        assert service.campaign_ids(category_ids) == {}

    @pytest.mark.parametrize("call", CALLS)
    def test_an_outage_raises_retry_later(
        self, service: CampaignService, plant: Plant, outage: Outage, call: str
    ) -> None:
        """While the service fails, calls raise `RetryLater`; afterwards they succeed."""
        plant(campaign(category_id=1))
        with outage(), pytest.raises(RetryLater):
            CALLS[call](service)
        CALLS[call](service)
