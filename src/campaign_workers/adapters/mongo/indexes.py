"""The indexes that the queries of the repositories need."""

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
"""The ascending keys of the index that each collection needs in addition to `_id`."""

BUILD_TIMEOUT_SECONDS: Final = 6 * 3600


@attrs.frozen(kw_only=True)
class Index:
    """An index that exists, and whether it was just created."""

    collection: str
    keys: tuple[str, ...]
    created: bool


@translate_errors()
def ensure_indexes(database: Database[Document]) -> tuple[Index, ...]:
    """Create the missing indexes and return all of them.

    Raises:
        PermanentFailure: the database rejects an index.
        RetryLater: the database fails.
    """
    # Ping first: the timeout for building an index is hours long.
    database.command("ping")
    with pymongo.timeout(BUILD_TIMEOUT_SECONDS):
        return tuple(
            Index(collection=name, keys=keys, created=_create(database, name, keys))
            for name, keys in INDEXES.items()
        )


def _create(database: Database[Document], name: str, keys: tuple[str, ...]) -> bool:
    """Create an index; return False if an equivalent one exists."""
    documents = collection(database, name)
    if any(_serves(index, keys) for index in documents.index_information().values()):
        return False
    documents.create_index([(key, pymongo.ASCENDING) for key in keys])
    return True


def _serves(index: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    """Return whether an index of any name has these keys and covers every document."""
    partial = index.get("sparse") or index.get("partialFilterExpression") or index.get("hidden")
    return not partial and [key for key, _ in index["key"]] == list(keys)
