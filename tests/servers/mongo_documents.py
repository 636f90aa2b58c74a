"""Documents of the product's database as the services that own them write them."""

from collections.abc import Iterable
from typing import Any

from pymongo.database import Database

from campaign_workers.domain.campaigns import (
    Campaign,
    Market,
    campaign_to_json,
    market_to_json,
)
from campaign_workers.domain.stats.admin import Entry

Document = dict[str, Any]


def entry_document(entry: Entry) -> Document:
    """The document of an entry."""
    market, *optional_markets = entry.market_ids or (None,)
    return {
        "_id": {"campaign_id": entry.campaign_id, "user_id": entry.user_id},
        "fields": {
            "email": entry.email,
            "first_name": entry.first_name,
            "last_name": entry.last_name,
            "phone": entry.phone,
            "market": market,
            "optional_markets": optional_markets,
            "optin_email": entry.opt_in_email,
            "optin_sms": entry.opt_in_sms,
        },
        "date": {
            "created": entry.created,
            "updated": entry.created,
            "phoneConfirmed": entry.created if entry.phone_confirmed else None,
        },
        "locale": entry.locale,
        "referrer": entry.referrer_code,
        "presale": {
            "codes": [{"market": market, "code": code} for market, code in entry.codes.items()]
        },
        "review": {"isBlocked": entry.blocked},
    }


def plant_entries(database: Database[Document], entries: Iterable[Entry]) -> None:
    """Put entries into their collection."""
    if documents := [entry_document(entry) for entry in entries]:
        database.entries.insert_many(documents, ordered=False)


def plant_campaign(database: Database[Document], campaign: Campaign) -> None:
    """Put a campaign and its markets, in place of what there is of it."""
    document = campaign_to_json(campaign)
    del document["markets"]
    database.campaigns.replace_one({"_id": campaign.campaign_id}, document, upsert=True)
    database.markets.delete_many({"campaign_id": campaign.campaign_id})
    if campaign.markets:
        database.markets.insert_many(
            [market_document(campaign.campaign_id, market) for market in campaign.markets]
        )


def market_document(campaign_id: str, market: Market) -> Document:
    """The document of a market whose id other campaigns may use, too."""
    document = market_to_json(market)
    key = {"campaign_id": campaign_id, "market_id": document.pop("id")}
    return {"_id": key, "campaign_id": campaign_id, **document}
