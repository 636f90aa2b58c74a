"""The `AdminStatsRepository` port on MongoDB."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo import ReadPreference
from pymongo.database import Database

from campaign_workers.adapters.mongo.documents import (
    Document,
    collection,
    escape_names,
    unescape_names,
)
from campaign_workers.adapters.mongo.errors import translate_errors
from campaign_workers.domain.errors import NotFound
from campaign_workers.domain.stats.admin import AdminStats
from campaign_workers.ports.repositories import StatsDocument


class MongoAdminStatsRepository:
    """Serves `AdminStatsRepository` from the collection `adminStats`.

    Each of its two writers sets only its own fields.
    """

    def __init__(self, database: Database[Document]) -> None:
        # A secondary may lag behind, and statistics already posted would be posted again.
        self._documents = collection(database, "adminStats").with_options(
            read_preference=ReadPreference.PRIMARY
        )

    @translate_errors()
    def save(self, campaign_id: str, stats: AdminStats, *, now: datetime) -> None:
        """See `AdminStatsRepository.save`."""
        saved = {"stats": escape_names(stats.to_json()), "updated": now}
        self._documents.update_one({"_id": campaign_id}, {"$set": saved}, upsert=True)

    @translate_errors()
    def read(self, campaign_id: str) -> StatsDocument | None:
        """See `AdminStatsRepository.read`."""
        document = self._documents.find_one({"_id": campaign_id})
        if document is None:
            return None
        return StatsDocument(
            stats=AdminStats.parse(unescape_names(document["stats"])),
            updated=document["updated"],
            last_posted=unescape_names(document.get("lastPosted")),
        )

    @translate_errors()
    def mark_posted(self, campaign_id: str, posted: Mapping[str, Any]) -> None:
        """See `AdminStatsRepository.mark_posted`."""
        update = {"$set": {"lastPosted": escape_names(posted)}}
        if not self._documents.update_one({"_id": campaign_id}, update).matched_count:
            raise NotFound("there are no statistics of this campaign")
