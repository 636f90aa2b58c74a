"""The campaign service, as `schemas/openapi/campaign.yaml` documents it."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from campaign_workers.adapters.http._client.client import BlockingClient
from campaign_workers.adapters.http._client.requests import Call, different
from campaign_workers.adapters.http._client.responses import FoundCampaigns
from campaign_workers.domain.campaigns.campaign import Campaign, Market, read_campaign
from campaign_workers.domain.errors import BadInput, NotFound
from campaign_workers.domain.storage.layout import is_key_id

MOST_CATEGORIES: Final = 100


class HttpCampaignService(BlockingClient):
    """Serves `CampaignService`."""

    name = "campaign"

    def campaign(self, campaign_id: str) -> Campaign:
        """See `CampaignService.campaign`."""
        call = self._get(_path(campaign_id))
        return _campaign(self._sent(call), campaign_id, call)

    def campaign_ids(self, category_ids: Collection[int]) -> Mapping[int, str]:
        """See `CampaignService.campaign_ids`."""
        found: dict[int, str] = {}
        for wanted in different(category_ids, MOST_CATEGORIES):
            query = (("categoryId", str(category_id)) for category_id in wanted)
            answer = self._read(FoundCampaigns, self._get("/campaigns", *query))
            by_category = {row.category_id: row.campaign_id for row in answer.campaigns}
            found |= {
                category: by_category[category] for category in wanted if category in by_category
            }
        return found

    def markets(self, campaign_id: str) -> tuple[Market, ...]:
        """See `CampaignService.markets`."""
        call = self._get(f"{_path(campaign_id)}/markets")
        content = self._sent(call)
        if not isinstance(content, Mapping) or not isinstance(content.get("markets"), list):
            raise call.misread("markets", "missing, or no list")
        return _campaign({"_id": campaign_id, **content}, campaign_id, call).markets


def _path(campaign_id: str) -> str:
    """The address of a campaign; an id that would need escaping is that of none.

    Raises:
        NotFound: it would.
    """
    if not is_key_id(campaign_id):
        raise NotFound("there is no campaign with this id")
    return f"/campaigns/{campaign_id}"


def _campaign(document: Any, campaign_id: str, call: Call) -> Campaign:
    try:
        campaign = read_campaign(document)
    except BadInput as error:
        why = error
    else:
        if campaign.campaign_id == campaign_id:
            return campaign
        why = BadInput("that of another campaign", field="_id")
    raise call.misread(why.field or "the whole", why.problem)
