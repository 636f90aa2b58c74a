"""Port of the campaign service."""

from collections.abc import Collection, Mapping
from typing import Protocol

from campaign_workers.domain.campaigns import Campaign, Market


class CampaignService(Protocol):
    """Campaign metadata."""

    def campaign(self, campaign_id: str) -> Campaign:
        """A campaign by its id.

        Raises:
            NotFound: there is none.
            RetryLater: the service fails.
        """
        ...

    def campaign_ids(self, category_ids: Collection[int]) -> Mapping[int, str]:
        """Campaign ids by category id; unknown categories are left out.

        Raises:
            RetryLater: the service fails.
        """
        ...

    def markets(self, campaign_id: str) -> tuple[Market, ...]:
        """Markets of a campaign, in the campaign's order.

        Raises:
            NotFound: there is no such campaign.
            RetryLater: the service fails.
        """
        ...
