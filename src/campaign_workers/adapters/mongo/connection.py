"""The MongoDB client that a process shares."""

from functools import cache
from typing import Final

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import ConfigurationError

from campaign_workers.adapters.mongo.documents import Document
from campaign_workers.domain.errors import BadInput

DATABASE: Final = "campaigns"


@cache
def database(
    uri: str | None, *, read_preference: str = "secondaryPreferred", timeout_seconds: float = 10
) -> Database[Document]:
    """Return the database that `uri` names, or `campaigns` if it names none.

    Calls with the same arguments share one client, which connects on first use.

    Args:
        uri: connection string of the database.
        read_preference: which members of a replica set answer reads.
        timeout_seconds: limit of each operation, including its retries.

    Raises:
        BadInput: the connection string is missing or malformed.
    """
    if not uri:
        raise BadInput("is not set", field="mongodb_uri", remedy="set CAMPAIGN_WORKERS_MONGODB_URI")
    try:
        client: MongoClient[Document] = MongoClient(
            uri,
            connect=False,
            appname="campaign-workers",
            readPreference=read_preference,
            timeoutMS=round(timeout_seconds * 1000),
        )
        return client.get_default_database(DATABASE)
    except (ConfigurationError, ValueError):
        # The driver's message quotes the connection string, which contains a password.
        raise BadInput(
            "not a valid MongoDB connection string",
            field="mongodb_uri",
            remedy="use mongodb://host/database or mongodb+srv://host/database",
        ) from None
