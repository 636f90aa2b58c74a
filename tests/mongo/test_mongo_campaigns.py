"""Campaigns and markets as other services write them."""

import logging
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from bson import Int64
from hypothesis import given
from pymongo.database import Database

from campaign_workers.adapters.mongo.campaigns import MongoCampaignRepository, MongoMarketRepository
from campaign_workers.domain.campaigns import Campaign, Market
from campaign_workers.domain.errors import BadInput
from campaign_workers.testing.contracts._base import examples_share_fixtures
from campaign_workers.testing.strategies import campaigns
from tests.servers.mongo import OverMongo
from tests.servers.mongo_documents import Document, plant_campaign

FULL: Document = {
    "_id": "tour",
    "status": "OPEN",
    "type": "fanlist",
    "name": "World Tour",
    "artist": {"name": "The Placeholders", "id": 7},
    "date": {"created": datetime(2026, 9, 1, tzinfo=UTC), "ends": "some day"},
    "options": {"allowIntlPhones": True, "preferences": {"limit": 4}},
    "slack": {"channels": {"stats": ["C1"], "other": ["C2"]}},
}


class TestCampaigns(OverMongo):
    """`MongoCampaignRepository` on documents of all kinds."""

    @examples_share_fixtures
    @given(planted=campaigns())
    def test_campaigns_come_as_they_were_written(
        self, database: Database[Document], raw: Database[Document], planted: Campaign
    ) -> None:
        """Every field of an open campaign survives; of its markets each, by id."""
        raw.campaigns.delete_many({})
        plant_campaign(raw, planted)
        found = list(MongoCampaignRepository(database).open_campaigns())
        assert [by_id(one) for one in found] == [by_id(planted)] * planted.is_open

    def test_unread_fields_are_not_validated(
        self, database: Database[Document], raw: Database[Document]
    ) -> None:
        """Fields of other services stay in the database, whatever they hold."""
        raw.campaigns.insert_one(FULL)
        (found,) = MongoCampaignRepository(database).open_campaigns()
        assert (found.artist, found.allow_intl_phones) == ("The Placeholders", True)
        assert found.stats_channels == ("C1",)

    @pytest.mark.parametrize("number", [7, 7.0, Int64(7)])
    def test_a_whole_number_is_one_in_any_notation(
        self, database: Database[Document], raw: Database[Document], number: Any
    ) -> None:
        """Shells write numbers as floats, drivers as 32 or 64 bits."""
        raw.campaigns.insert_one({**FULL, "categoryId": number})
        (found,) = MongoCampaignRepository(database).open_campaigns()
        assert (found.category_id, type(found.category_id)) == (7, int)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"_id": "a b"},
            {"type": "raffle"},
            {"categoryId": 7.5},
            {"slack": {"channels": {"stats": "C1"}}},
        ],
    )
    def test_a_document_that_cannot_be_read_hides_no_other(
        self,
        database: Database[Document],
        raw: Database[Document],
        caplog: pytest.LogCaptureFixture,
        wrong: Document,
    ) -> None:
        """It is left out, and the log says which, and which field is wrong."""
        bad = {**FULL, "_id": "bad", **wrong}
        raw.campaigns.insert_many([FULL, bad])
        with caplog.at_level(logging.ERROR):
            (found,) = MongoCampaignRepository(database).open_campaigns()
        assert found.campaign_id == "tour"
        assert repr(bad["_id"]) in caplog.text
        assert next(iter(wrong)) in caplog.text


class TestMarkets(OverMongo):
    """`MongoMarketRepository` on documents of all kinds."""

    def test_an_id_stands_alone_or_with_its_campaign(
        self, database: Database[Document], raw: Database[Document]
    ) -> None:
        """`_id` is the market's id, or campaign and market where campaigns share ids."""
        common = {"campaign_id": "tour", "state": "NY", "event": {"ids": ["E1"]}}
        shared = {"campaign_id": "tour", "market_id": "nyc"}
        raw.markets.insert_many(
            [{"_id": shared, "name": "New York", **common}, {"_id": "alb", "city": None, **common}]
        )
        assert MongoMarketRepository(database).markets("tour") == (
            Market(market_id="alb"),
            Market(market_id="nyc", name="New York"),
        )

    @pytest.mark.parametrize("key", [{"campaign_id": "tour"}, 7, "a/b"])
    def test_a_market_without_an_id_is_refused(
        self, database: Database[Document], raw: Database[Document], key: Any
    ) -> None:
        """An id that cannot go into a key names its field."""
        raw.markets.insert_one({"_id": key, "campaign_id": "tour"})
        with pytest.raises(BadInput, match="id"):
            MongoMarketRepository(database).markets("tour")


def by_id(one: Campaign) -> Campaign:
    """The campaign with its markets in the order in which the database has them."""
    return attrs.evolve(one, markets=tuple(sorted(one.markets, key=lambda m: m.market_id)))
