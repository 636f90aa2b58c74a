"""Campaign documents: how they are parsed, and how errors name the field."""

from typing import Any

import pytest
from hypothesis import given

from campaign_workers.domain.campaigns import (
    Campaign,
    CampaignType,
    TicketType,
    campaign_to_json,
    parse_campaign,
)
from campaign_workers.domain.errors import BadInput
from campaign_workers.testing.strategies import campaigns

DOCUMENT = {
    "_id": "summer-tour",
    "type": "fanlist",
    "status": "CLOSED",
    "name": "Summer Tour",
    "categoryId": 4711,
    "artist": {"id": "a1", "name": "The Placeholders"},
    "options": {"allowIntlPhones": True},
    "scoringType": "exponential",
    "halfLife": 100,
    "slack": {"channels": {"stats": ["#tour"]}},
    "markets": [
        {"id": "nyc", "name": "New York", "city": "New York", "ticketer": "TM"},
        {"id": "chi", "timezone": "America/Chicago", "ticketer": "OTHER", "unheard": 1},
    ],
}


@given(campaigns())
def test_a_campaign_survives_a_round_trip(campaign: Campaign) -> None:
    """A campaign is the same after it is written and parsed."""
    assert parse_campaign(campaign_to_json(campaign)) == campaign


def test_a_document_is_read_field_by_field() -> None:
    """Every field is parsed; unknown fields are ignored."""
    campaign = parse_campaign(DOCUMENT)
    assert (campaign.campaign_id, campaign.type) == ("summer-tour", CampaignType.FANLIST)
    assert not campaign.is_open
    assert (campaign.category_id, campaign.artist) == (4711, "The Placeholders")
    assert (campaign.scoring_type, campaign.half_life) == ("exponential", 100.0)
    assert campaign.allow_intl_phones
    assert campaign.stats_channels == ("#tour",)
    assert [market.market_id for market in campaign.markets] == ["nyc", "chi"]
    assert [market.ticket_type for market in campaign.markets] == [TicketType.TM, TicketType.NON_TM]
    assert campaign.markets[1].timezone == "America/Chicago"


def test_only_the_id_is_required() -> None:
    """Every other field has a default; null counts as absent."""
    assert parse_campaign({"_id": "c1"}) == Campaign(campaign_id="c1")
    nothing = dict.fromkeys(DOCUMENT)
    assert parse_campaign({**nothing, "_id": "c1"}) == Campaign(campaign_id="c1")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"_id": None}, "_id"),
        ({"_id": 7}, "_id"),
        ({"_id": "../up"}, "_id"),
        ({"type": "lottery"}, "type"),
        ({"type": 1}, "type"),
        ({"status": True}, "status"),
        ({"categoryId": "4711"}, "categoryId"),
        ({"categoryId": True}, "categoryId"),
        ({"artist": "The Placeholders"}, "artist"),
        ({"artist": {"name": 3}}, "artist.name"),
        ({"options": {"allowIntlPhones": "yes"}}, "options.allowIntlPhones"),
        ({"halfLife": "100"}, "halfLife"),
        ({"slack": {"channels": ["#tour"]}}, "slack.channels"),
        ({"slack": {"channels": {"stats": "#tour"}}}, "slack.channels.stats"),
        ({"slack": {"channels": {"stats": ["#tour", None]}}}, "slack.channels.stats[1]"),
        ({"markets": {}}, "markets"),
        ({"markets": ["nyc"]}, "markets[0]"),
        ({"markets": [None]}, "markets[0].id"),
        ({"markets": [{"id": "nyc"}, {"id": "a/b"}]}, "markets[1].id"),
        ({"markets": [{"id": "nyc"}, {"id": "nyc"}]}, "markets[1].id"),
        ({"markets": [{"id": "nyc", "ticketer": "AXS"}]}, "markets[0].ticketer"),
    ],
)
def test_an_invalid_field_is_named(change: dict[str, Any], field: str) -> None:
    """The error has the path of the field."""
    with pytest.raises(BadInput) as caught:
        parse_campaign({**DOCUMENT, **change})
    assert caught.value.field == field


@pytest.mark.parametrize("document", [None, [], "c1", 7])
def test_a_document_is_an_object(document: object) -> None:
    """Anything but an object is rejected."""
    with pytest.raises(BadInput, match="expected an object"):
        parse_campaign(document)
