"""The collection `entries`."""

from typing import Final

import pymongo
from pymongo.database import Database

from campaign_workers.adapters.mongo.documents import Document, collection
from campaign_workers.adapters.mongo.entry_figures import figures, pipeline
from campaign_workers.adapters.mongo.errors import translate_errors
from campaign_workers.domain.stats.admin import AdminStats

COUNTING_SECONDS: Final = 240


class MongoEntryRepository:
    """Serves `EntryRepository` from the collection `entries`.

    Counting reads every entry of a campaign, so it has `counting_seconds` for itself.
    """

    def __init__(
        self, database: Database[Document], *, counting_seconds: float = COUNTING_SECONDS
    ) -> None:
        self._entries = collection(database, "entries")
        self._counting_seconds = counting_seconds

    @translate_errors()
    def admin_stats(self, campaign_id: str) -> AdminStats:
        """See `EntryRepository.admin_stats`; counted on the server, in one pass."""
        # An outage shows here, in the time of any call; counting would wait for its end for long.
        self._entries.database.command("ping", read_preference=self._entries.read_preference)
        with (
            pymongo.timeout(self._counting_seconds),
            self._entries.aggregate(pipeline(campaign_id), allowDiskUse=True) as answers,
        ):
            return figures(answers.next())
