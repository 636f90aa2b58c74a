"""The campaign service's operations."""

import attrs

from campaign_workers.domain.campaigns import campaign_to_json, market_to_json
from campaign_workers.doubles.handling import Handlers
from campaign_workers.doubles.problems import Reply
from campaign_workers.doubles.requests import Asked
from campaign_workers.ports.campaign_service import CampaignService


@attrs.frozen
class CampaignOperations:
    """See `schemas/openapi/campaign.yaml`."""

    campaigns: CampaignService

    @property
    def handlers(self) -> Handlers:
        """By operation."""
        return {"findCampaigns": self.find, "getCampaign": self.get, "getMarkets": self.markets}

    def find(self, asked: Asked) -> Reply:
        """Campaigns of categories."""
        found = self.campaigns.campaign_ids(asked.parameters["categoryId"])
        rows = [{"categoryId": category, "campaignId": name} for category, name in found.items()]
        return Reply(content={"campaigns": rows})

    def get(self, asked: Asked) -> Reply:
        """A campaign."""
        return Reply(content=campaign_to_json(self.campaigns.campaign(_id(asked))))

    def markets(self, asked: Asked) -> Reply:
        """Its markets."""
        found = self.campaigns.markets(_id(asked))
        return Reply(content={"markets": [market_to_json(market) for market in found]})


def _id(asked: Asked) -> str:
    return str(asked.parameters["campaignId"])
