"""The indexes that the queries of this room need."""

from collections.abc import Mapping
from typing import Any, Final

import attrs
import pymongo
from pymongo.database import Database

from campaign_workers.adapters.mongo.documents import Document, collection
from campaign_workers.adapters.mongo.errors import translate_errors

INDEXES: Final[Mapping[str, tuple[str, ...]]] = {
    "campaigns": ("status", "_id"),
    "markets": ("campaign_id",),
    "entries": ("_id.campaign_id",),
}
"""The ascending keys of the index that each collection needs beside that of `_id`."""

BUILDING_SECONDS: Final = 6 * 3600


@attrs.frozen(kw_only=True)
class Index:
    """An index that is there now, and whether it was made just now."""

    collection: str
    keys: tuple[str, ...]
    created: bool


@translate_errors()
def ensure_indexes(database: Database[Document]) -> tuple[Index, ...]:
    """Create the indexes that are missing; the others stay as they are.

    Raises:
        PermanentFailure: the database refuses.
        RetryLater: the database fails.
    """
    # An outage shows here, in the time of any call; building would wait for its end for hours.
    database.command("ping")
    with pymongo.timeout(BUILDING_SECONDS):
        return tuple(
            Index(collection=name, keys=keys, created=_created(database, name, keys))
            for name, keys in INDEXES.items()
        )


def _created(database: Database[Document], name: str, keys: tuple[str, ...]) -> bool:
    documents = collection(database, name)
    if any(_serves(index, keys) for index in documents.index_information().values()):
        return False
    documents.create_index([(key, pymongo.ASCENDING) for key in keys])
    return True


def _serves(index: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    """Whether an index has these keys and holds every document, whatever it is called."""
    partial = index.get("sparse") or index.get("partialFilterExpression") or index.get("hidden")
    return not partial and [key for key, _ in index["key"]] == list(keys)
