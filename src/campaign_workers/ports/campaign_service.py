"""Port of the campaign service."""

from collections.abc import Collection, Mapping
from typing import Protocol

from campaign_workers.domain.campaigns import Campaign, Market


class CampaignService(Protocol):
    """Reads campaigns and their markets."""

    def campaign(self, campaign_id: str) -> Campaign:
        """Return a campaign by its id.

        Raises:
            NotFound: there is no such campaign.
            RetryLater: the service fails.
        """
        ...

    def campaign_ids(self, category_ids: Collection[int]) -> Mapping[int, str]:
        """Return campaign ids by category id, without unknown categories.

        Raises:
            RetryLater: the service fails.
        """
        ...

    def markets(self, campaign_id: str) -> tuple[Market, ...]:
        """Return the markets of a campaign, in the campaign's order.

        Raises:
            NotFound: there is no such campaign.
            RetryLater: the service fails.
        """
        ...
