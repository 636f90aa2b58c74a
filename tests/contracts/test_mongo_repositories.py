"""The repositories over MongoDB keep their contracts, on a server that speaks its protocol."""

from collections.abc import Callable
from functools import partial

import pytest
from pymongo.database import Database

from campaign_workers.adapters.mongo.admin_stats import MongoAdminStatsRepository
from campaign_workers.adapters.mongo.campaigns import MongoCampaignRepository, MongoMarketRepository
from campaign_workers.adapters.mongo.entries import MongoEntryRepository
from campaign_workers.testing.contracts import (
    admin_stats_repository,
    campaign_repository,
    entry_repository,
    market_repository,
)
from tests.contracts.over_tables import FreshIds
from tests.servers.mongo import OverMongo
from tests.servers.mongo_documents import Document, plant_campaign, plant_entries


class TestCampaignRepository(OverMongo, campaign_repository.CampaignRepositoryContract):
    """`MongoCampaignRepository`."""

    @pytest.fixture
    def repository(self, database: Database[Document]) -> MongoCampaignRepository:
        return MongoCampaignRepository(database)

    @pytest.fixture
    def plant(self, raw: Database[Document]) -> campaign_repository.Plant:
        return partial(plant_campaign, raw)


class TestMarketRepository(OverMongo, market_repository.MarketRepositoryContract):
    """`MongoMarketRepository`."""

    @pytest.fixture
    def repository(self, database: Database[Document]) -> MongoMarketRepository:
        return MongoMarketRepository(database)

    @pytest.fixture
    def plant(self, raw: Database[Document]) -> market_repository.Plant:
        return partial(plant_campaign, raw)


class TestEntryRepository(OverMongo, entry_repository.EntryRepositoryContract):
    """`MongoEntryRepository`."""

    @pytest.fixture
    def repository(self, database: Database[Document]) -> MongoEntryRepository:
        return MongoEntryRepository(database)

    @pytest.fixture
    def plant(self, raw: Database[Document]) -> entry_repository.Plant:
        return partial(plant_entries, raw)

    @pytest.fixture
    def fresh_id(self) -> Callable[[], str]:
        return FreshIds()


class TestAdminStatsRepository(OverMongo, admin_stats_repository.AdminStatsRepositoryContract):
    """`MongoAdminStatsRepository`."""

    @pytest.fixture
    def repository(self, database: Database[Document]) -> MongoAdminStatsRepository:
        return MongoAdminStatsRepository(database)
