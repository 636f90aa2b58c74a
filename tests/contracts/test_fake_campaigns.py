"""The fake of the campaign service satisfies the contracts of its three ports."""

import pytest

from campaign_workers.adapters.fakes.campaigns import FakeCampaignService, FakeMarketRepository
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.domain.campaigns import Campaign, Market
from campaign_workers.domain.errors import BadInput
from campaign_workers.testing.builders import campaign
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.campaign_repository import CampaignRepositoryContract
from campaign_workers.testing.contracts.campaign_service import CampaignServiceContract, Plant
from campaign_workers.testing.contracts.market_repository import MarketRepositoryContract
from tests.contracts.over_tables import OverTables


class TestCampaignService(OverTables, CampaignServiceContract):
    """`FakeCampaignService` as the campaign service."""

    @pytest.fixture
    def service(self, tables: Tables) -> FakeCampaignService:
        return FakeCampaignService(tables)

    @pytest.fixture
    def plant(self, tables: Tables) -> Plant:
        return FakeCampaignService(tables).put

    @pytest.fixture
    def outage(self, service: FakeCampaignService) -> Outage:
        return service.faults.outage


class TestCampaignRepository(OverTables, CampaignRepositoryContract):
    """`FakeCampaignService` as the collection of campaigns."""

    @pytest.fixture
    def repository(self, tables: Tables) -> FakeCampaignService:
        return FakeCampaignService(tables)

    @pytest.fixture
    def plant(self, tables: Tables) -> Plant:
        return FakeCampaignService(tables).put

    @pytest.fixture
    def outage(self, repository: FakeCampaignService) -> Outage:
        return repository.faults.outage


class TestMarketRepository(OverTables, MarketRepositoryContract):
    """`FakeMarketRepository` as the collection of markets."""

    @pytest.fixture
    def repository(self, tables: Tables) -> FakeMarketRepository:
        return FakeMarketRepository(tables)

    @pytest.fixture
    def plant(self, tables: Tables) -> Plant:
        return FakeCampaignService(tables).put

    @pytest.fixture
    def outage(self, repository: FakeMarketRepository) -> Outage:
        return repository.faults.outage


class TestLoading(OverTables):
    """Campaigns that `put` refuses."""

    @pytest.mark.parametrize(
        "wrong",
        [campaign("../up"), campaign(markets=(Market(market_id=""),))],
        ids=["campaign", "market"],
    )
    def test_ids_must_go_into_keys(self, tables: Tables, wrong: Campaign) -> None:
        """A campaign with an id that is not valid in an object key is refused."""
        with pytest.raises(BadInput):
            FakeCampaignService(tables).put(wrong)
        assert list(FakeCampaignService(tables).open_campaigns()) == []
