"""What the product's own database keeps."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

import attrs

from campaign_workers.domain.campaigns import Campaign, Market
from campaign_workers.domain.stats.admin import AdminStats


class CampaignRepository(Protocol):
    """The `campaigns` collection."""

    def open_campaigns(self) -> Iterator[Campaign]:
        """Campaigns with status `OPEN`, by id.

        Raises:
            RetryLater: the database fails.
        """
        ...


class MarketRepository(Protocol):
    """The `markets` collection."""

    def markets(self, campaign_id: str) -> tuple[Market, ...]:
        """Markets of a campaign, by id; none for an unknown campaign.

        Raises:
            RetryLater: the database fails.
        """
        ...


class EntryRepository(Protocol):
    """The `entries` collection."""

    def admin_stats(self, campaign_id: str) -> AdminStats:
        """`domain.stats.admin` of the campaign's entries, computed where they lie.

        Raises:
            RetryLater: the database fails.
        """
        ...


@attrs.frozen(kw_only=True)
class StatsDocument:
    """Statistics of a campaign as stored, and what was last posted of them."""

    stats: AdminStats
    updated: datetime
    last_posted: Mapping[str, Any] | None = None


class AdminStatsRepository(Protocol):
    """The `adminStats` collection: `saveStats` owns the figures, `slackStats` `lastPosted`."""

    def save(self, campaign_id: str, stats: AdminStats, *, now: datetime) -> None:
        """Write the figures and leave `lastPosted` alone.

        Raises:
            RetryLater: the database fails.
        """
        ...

    def read(self, campaign_id: str) -> StatsDocument | None:
        """What is stored, None if nothing is.

        Raises:
            RetryLater: the database fails.
        """
        ...

    def mark_posted(self, campaign_id: str, posted: Mapping[str, Any]) -> None:
        """Store `posted` as `lastPosted` and leave the figures alone.

        Raises:
            NotFound: there are no statistics of this campaign.
            RetryLater: the database fails.
        """
        ...
