"""Client of the campaign service, as documented in `schemas/openapi/campaign.yaml`."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from campaign_workers.adapters.http._client.client import BlockingClient
from campaign_workers.adapters.http._client.requests import ServiceRequest, unique_batches
from campaign_workers.adapters.http._client.responses import CampaignIdsResponse
from campaign_workers.domain.campaigns import Campaign, Market, parse_campaign
from campaign_workers.domain.errors import BadInput, NotFound
from campaign_workers.domain.storage.layout import is_key_id

MAX_CATEGORIES: Final = 100


class HttpCampaignService(BlockingClient):
    """Serves `CampaignService`."""

    name = "campaign"

    def campaign(self, campaign_id: str) -> Campaign:
        """See `CampaignService.campaign`."""
        request = self._get(_path(campaign_id))
        return _parse_campaign(self._send(request), campaign_id, request)

    def campaign_ids(self, category_ids: Collection[int]) -> Mapping[int, str]:
        """See `CampaignService.campaign_ids`."""
        found: dict[int, str] = {}
        for batch in unique_batches(category_ids, MAX_CATEGORIES):
            query = (("categoryId", str(category_id)) for category_id in batch)
            response = self._fetch(CampaignIdsResponse, self._get("/campaigns", *query))
            by_category = {row.category_id: row.campaign_id for row in response.campaigns}
            found |= {
                category: by_category[category] for category in batch if category in by_category
            }
        return found

    def markets(self, campaign_id: str) -> tuple[Market, ...]:
        """See `CampaignService.markets`."""
        request = self._get(f"{_path(campaign_id)}/markets")
        content = self._send(request)
        if not isinstance(content, Mapping) or not isinstance(content.get("markets"), list):
            raise request.malformed_response("markets", "missing, or not a list")
        return _parse_campaign({"_id": campaign_id, **content}, campaign_id, request).markets


def _path(campaign_id: str) -> str:
    """Return the path of a campaign.

    Raises:
        NotFound: the id contains characters that no campaign id has.
    """
    if not is_key_id(campaign_id):
        raise NotFound("unknown campaign: the id has characters that no campaign id has")
    return f"/campaigns/{campaign_id}"


def _parse_campaign(document: Any, campaign_id: str, request: ServiceRequest) -> Campaign:
    try:
        campaign = parse_campaign(document)
    except BadInput as error:
        problem = error
    else:
        if campaign.campaign_id == campaign_id:
            return campaign
        problem = BadInput("the id of another campaign", field="_id")
    raise request.malformed_response(problem.field or "body", problem.problem)
