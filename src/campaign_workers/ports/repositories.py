"""Ports of the product's own database."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

import attrs

from campaign_workers.domain.campaigns import Campaign, Market
from campaign_workers.domain.stats.admin import AdminStats


class CampaignRepository(Protocol):
    """The `campaigns` collection."""

    def open_campaigns(self) -> Iterator[Campaign]:
        """Yield the campaigns with status `OPEN`, by id.

        Raises:
            RetryLater: the database fails.
        """
        ...


class MarketRepository(Protocol):
    """The `markets` collection."""

    def markets(self, campaign_id: str) -> tuple[Market, ...]:
        """Return the markets of a campaign by id; none for an unknown campaign.

        Raises:
            RetryLater: the database fails.
        """
        ...


class EntryRepository(Protocol):
    """The `entries` collection."""

    def admin_stats(self, campaign_id: str) -> AdminStats:
        """Return the statistics of a campaign's entries, aggregated by the database.

        Raises:
            RetryLater: the database fails.
        """
        ...


@attrs.frozen(kw_only=True)
class StatsDocument:
    """The stored statistics of a campaign, and those of the last post."""

    stats: AdminStats
    updated: datetime
    last_posted: Mapping[str, Any] | None = None


class AdminStatsRepository(Protocol):
    """The `adminStats` collection; `saveStats` owns the figures, `slackStats` owns `lastPosted`."""

    def save(self, campaign_id: str, stats: AdminStats, *, now: datetime) -> None:
        """Store the figures, without changing `lastPosted`.

        Raises:
            RetryLater: the database fails.
        """
        ...

    def read(self, campaign_id: str) -> StatsDocument | None:
        """Return the stored statistics, or None if there are none.

        Raises:
            RetryLater: the database fails.
        """
        ...

    def mark_posted(self, campaign_id: str, posted: Mapping[str, Any]) -> None:
        """Store `posted` as `lastPosted`, without changing the figures.

        Raises:
            NotFound: there are no statistics of this campaign.
            RetryLater: the database fails.
        """
        ...
