"""The `adminStats` collection over keyed tables."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from campaign_workers.adapters.fakes.failures import Faults, may_fail
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.domain.errors import NotFound
from campaign_workers.domain.records.types import iso_utc, parse_utc
from campaign_workers.domain.stats.admin import AdminStats
from campaign_workers.ports.repositories import StatsDocument


class TableAdminStats:
    """Serves `AdminStatsRepository`."""

    def __init__(self, tables: Tables, *, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._documents = tables("adminStats")

    @may_fail
    def save(self, campaign_id: str, stats: AdminStats, *, now: datetime) -> None:
        """See `AdminStatsRepository.save`."""
        with self._documents.atomic():
            document = self._documents.get(campaign_id) or {}
            figures = {"stats": stats.wire(), "updated": iso_utc(now)}
            self._documents.put(campaign_id, {**document, **figures})

    @may_fail
    def read(self, campaign_id: str) -> StatsDocument | None:
        """See `AdminStatsRepository.read`."""
        document = self._documents.get(campaign_id)
        if document is None:
            return None
        return StatsDocument(
            stats=AdminStats.read(document["stats"]),
            updated=parse_utc(document["updated"]),
            last_posted=document.get("lastPosted"),
        )

    @may_fail
    def mark_posted(self, campaign_id: str, posted: Mapping[str, Any]) -> None:
        """See `AdminStatsRepository.mark_posted`."""
        with self._documents.atomic():
            document = self._documents.get(campaign_id)
            if document is None:
                raise NotFound("there are no statistics of this campaign")
            self._documents.put(campaign_id, {**document, "lastPosted": dict(posted)})
