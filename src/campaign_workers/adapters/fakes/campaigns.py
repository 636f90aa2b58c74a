"""Campaigns and markets: the campaign service and the two collections behind it."""

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


class FakeCampaignService:
    """Serves `CampaignService` and `CampaignRepository` from documents in a table."""

    def __init__(self, tables: Tables, *, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._documents = tables("campaigns")

    def put(self, campaign: Campaign) -> None:
        """Keep a campaign, in place of one with its id.

        Raises:
            BadInput: its id or a market's id cannot go into a key.
        """
        document = campaign_to_json(campaign)
        self._documents.put(parse_campaign(document).campaign_id, document)

    @may_fail
    def campaign(self, campaign_id: str) -> Campaign:
        """See `CampaignService.campaign`."""
        return self._read(campaign_id)

    @may_fail
    def campaign_ids(self, category_ids: Collection[int]) -> Mapping[int, str]:
        """See `CampaignService.campaign_ids`; of campaigns in one category the first by id."""
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
            raise NotFound("there is no campaign with this id")
        return parse_campaign(document)

    def _all(self) -> Iterator[Campaign]:
        return (parse_campaign(document) for _, document in self._documents.scan())


class FakeMarketRepository:
    """Serves `MarketRepository` from the same documents: another order, and no error."""

    def __init__(self, tables: Tables, *, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._documents = tables("campaigns")

    @may_fail
    def markets(self, campaign_id: str) -> tuple[Market, ...]:
        """See `MarketRepository.markets`."""
        document = self._documents.get(campaign_id)
        markets = () if document is None else parse_campaign(document).markets
        return tuple(sorted(markets, key=lambda market: market.market_id))
