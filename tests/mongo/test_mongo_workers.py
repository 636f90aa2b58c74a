"""The two workers of the statistics, on the database itself."""

from typing import Any

import pytest
from pymongo.database import Database

from campaign_workers.adapters.mongo.admin_stats import MongoAdminStatsRepository
from campaign_workers.adapters.mongo.campaigns import MongoCampaignRepository, MongoMarketRepository
from campaign_workers.adapters.mongo.entries import MongoEntryRepository
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.stats import admin_stats
from campaign_workers.testing.builders import campaign, entry
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.workers.save_stats import SaveStats
from campaign_workers.workers.slack_stats import SlackStats
from tests.servers.mongo import OverMongo
from tests.servers.mongo_documents import Document, plant_campaign, plant_entries
from tests.worlds import World, no_wrapper

ENTRIES = [
    entry("g1", market_ids=("nyc", "chi"), locale="en-us", phone_confirmed=True),
    entry("g2", market_ids=("chi",), codes={"chi": "CODE1"}),
]


class TestStatistics(OverMongo):
    """saveStats and slackStats with the repositories over MongoDB."""

    @pytest.fixture
    def world(self) -> World:
        """Everything but the database."""
        return World(no_wrapper)

    @pytest.fixture
    def ports(self, database: Database[Document], raw: Database[Document]) -> dict[str, Any]:
        """The database, with an open campaign of two entries and a closed one."""
        plant_campaign(raw, campaign("tour", stats_channels=("C1",)))
        plant_campaign(raw, campaign("past", status="CLOSED"))
        plant_entries(raw, [*ENTRIES, entry(campaign_id="past")])
        return {
            "campaigns": MongoCampaignRepository(database),
            "markets": MongoMarketRepository(database),
            "entries": MongoEntryRepository(database),
            "stats": MongoAdminStatsRepository(database),
        }

    def test_figures_are_saved_posted_once_and_kept(
        self, ports: dict[str, Any], world: World, raw: Database[Document]
    ) -> None:
        """Figures are saved, posted with the markets' names, and posted again when they change."""
        assert save(ports, world) == tell(ports, world) == {"in": 1, "out": 1}
        assert ports["stats"].read("tour").stats == admin_stats(ENTRIES)
        assert "Chicago" in str(next(world.chat.posts()).blocks)
        assert save(ports, world) == {"in": 1, "out": 1}
        assert tell(ports, world) == {"in": 1, "duplicates": 1}
        plant_entries(raw, [entry("g3")])
        save(ports, world)
        assert ports["stats"].read("tour").last_posted == admin_stats(ENTRIES).to_json()
        assert tell(ports, world) == {"in": 1, "out": 1}
        assert len(list(world.chat.posts())) == 2
        assert raw.adminStats.distinct("_id") == ["tour"]

    def test_an_outage_gives_the_work_back(
        self, ports: dict[str, Any], world: World, outage: Outage
    ) -> None:
        """Nothing is posted while the database is away; afterwards everything is as ever."""
        save(ports, world)
        for run in (save, tell):
            with outage(), pytest.raises(RetryLater):
                run(ports, world)
        assert list(world.chat.posts()) == []
        assert save(ports, world) == tell(ports, world) == {"in": 1, "out": 1}


def save(ports: dict[str, Any], world: World) -> dict[str, int]:
    """Run saveStats once; what it counted."""
    worker = SaveStats(
        campaigns=ports["campaigns"],
        entries=ports["entries"],
        stats=ports["stats"],
        clock=world.clock,
    )
    return counted(worker(Tick()).counts)


def tell(ports: dict[str, Any], world: World) -> dict[str, int]:
    """Run slackStats once; what it counted."""
    worker = SlackStats(
        campaigns=ports["campaigns"],
        markets=ports["markets"],
        stats=ports["stats"],
        chat=world.chat,
    )
    return counted(worker(Tick()).counts)


def counted(counts: Any) -> dict[str, int]:
    """The counts that are not zero."""
    return {name: count for name, count in counts.items() if count}
