"""Fakes of the campaign service and of the collections of campaigns and markets."""

from collections.abc import Collection, Iterator, Mapping

from campaign_workers.adapters.fakes.faults import Faults, may_fail
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.domain.campaigns import (
    Campaign,
    Market,
    campaign_to_json,
    parse_campaign,
)
from campaign_workers.domain.errors import NotFound
from campaign_workers.domain.storage.layout import is_key_id


class FakeCampaignService:
    """Serves `CampaignService` and `CampaignRepository` from documents in a table."""

    def __init__(self, tables: Tables, *, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._documents = tables("campaigns")

    def put(self, campaign: Campaign) -> None:
        """Save a campaign, replacing one with the same id.

        Raises:
            BadInput: the id of the campaign or of a market is not valid in an object key.
        """
        document = campaign_to_json(campaign)
        self._documents.put(parse_campaign(document).campaign_id, document)

    @may_fail
    def campaign(self, campaign_id: str) -> Campaign:
        """See `CampaignService.campaign`."""
        return self._read(campaign_id)

    @may_fail
    def campaign_ids(self, category_ids: Collection[int]) -> Mapping[int, str]:
        """See `CampaignService.campaign_ids`; the smallest id of each category."""
        wanted = set(category_ids)
        found: dict[int, str] = {}
        for campaign in self._all():
            if campaign.category_id in wanted:
                found.setdefault(campaign.category_id, campaign.campaign_id)
        return found

    @may_fail
    def markets(self, campaign_id: str) -> tuple[Market, ...]:
        """See `CampaignService.markets`."""
        return self._read(campaign_id).markets

    @may_fail
    def open_campaigns(self) -> Iterator[Campaign]:
        """See `CampaignRepository.open_campaigns`."""
        return (campaign for campaign in self._all() if campaign.is_open)

    def _read(self, campaign_id: str) -> Campaign:
        document = self._documents.get(campaign_id)
        if document is None:
            raise NotFound(_unknown_campaign(campaign_id))
        return parse_campaign(document)

    def _all(self) -> Iterator[Campaign]:
        return (parse_campaign(document) for _, document in self._documents.scan())


class FakeMarketRepository:
    """Serves `MarketRepository` from the same documents, ordered by market id."""

    def __init__(self, tables: Tables, *, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._documents = tables("campaigns")

    @may_fail
    def markets(self, campaign_id: str) -> tuple[Market, ...]:
        """See `MarketRepository.markets`."""
        document = self._documents.get(campaign_id)
        markets = () if document is None else parse_campaign(document).markets
        return tuple(sorted(markets, key=lambda market: market.market_id))


def _unknown_campaign(campaign_id: str) -> str:
    # An id from an upload may be anything, for example an e-mail address.
    return f"unknown campaign {campaign_id}" if is_key_id(campaign_id) else "unknown campaign"
