"""The `CampaignRepository` and `MarketRepository` ports on MongoDB."""

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from pymongo.database import Database

from campaign_workers.adapters.mongo.documents import Document, collection
from campaign_workers.adapters.mongo.errors import translate_errors
from campaign_workers.domain.campaigns import Campaign, Market, parse_campaign, parse_market
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.storage.layout import validate_key_id

_log: Final = logging.getLogger(__name__)

# Only the fields that are used are fetched, so that a malformed unused field does no harm.
CAMPAIGN_FIELDS: Final = (
    "type", "status", "name", "categoryId", "artist.name", "options.allowIntlPhones",
    "scoringType", "halfLife", "slack.channels.stats",
)  # fmt: skip
MARKET_FIELDS: Final = ("campaign_id", "name", "city", "timezone", "ticketer")


class MongoCampaignRepository:
    """Serves `CampaignRepository` from the collection `campaigns`."""

    def __init__(self, database: Database[Document]) -> None:
        self._campaigns = collection(database, "campaigns")
        self._markets = _Markets(database)

    @translate_errors()
    def open_campaigns(self) -> Iterator[Campaign]:
        """See `CampaignRepository.open_campaigns`.

        A malformed document is logged and left out, so that it does not block the others.
        """
        cursor = self._campaigns.find({"status": "OPEN"}, list(CAMPAIGN_FIELDS))
        documents = list(cursor.sort("_id"))
        markets = self._markets.of(
            [key for document in documents if isinstance(key := document["_id"], str)]
        )
        campaigns = [_campaign(document, markets) for document in documents]
        return iter([campaign for campaign in campaigns if campaign is not None])


class MongoMarketRepository:
    """Serves `MarketRepository` from the collection `markets`."""

    def __init__(self, database: Database[Document]) -> None:
        self._markets = _Markets(database)

    @translate_errors()
    def markets(self, campaign_id: str) -> tuple[Market, ...]:
        """See `MarketRepository.markets`.

        Raises:
            BadInput: a market's document is malformed; the message names its field.
        """
        documents = self._markets.of([campaign_id])[campaign_id]
        return tuple(parse_market(document) for document in documents)


class _Markets:
    """Markets as JSON documents, to be parsed by `domain.campaigns`."""

    def __init__(self, database: Database[Document]) -> None:
        self._documents = collection(database, "markets")

    def of(self, campaign_ids: Collection[str]) -> Mapping[str, list[Document]]:
        """Return the markets of each campaign, by campaign id and sorted by market id."""
        markets: dict[str, list[Document]] = {campaign_id: [] for campaign_id in campaign_ids}
        query = {"campaign_id": {"$in": list(markets)}}
        for document in self._documents.find(query, list(MARKET_FIELDS)):
            markets[document["campaign_id"]].append({**document, "id": _id(document["_id"])})
        for documents in markets.values():
            documents.sort(key=lambda document: str(document["id"]))
        return markets


def _id(key: Any) -> Any:
    """Return a market's id; if campaigns share market ids, `_id` is an object with both ids."""
    return key.get("market_id") if isinstance(key, Mapping) else key


def _campaign(document: Document, markets: Mapping[str, list[Document]]) -> Campaign | None:
    category = document.get("categoryId")
    if isinstance(category, float) and category.is_integer():
        # The MongoDB shell stores every number as a double.
        category = int(category)
    try:
        own = markets.get(validate_key_id(document["_id"], "_id"), [])
        return parse_campaign({**document, "categoryId": category, "markets": own})
    except BadInput as error:
        _log.error("campaign %r is malformed and is left out: %s", document["_id"], error)
        return None
