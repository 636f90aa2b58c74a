"""The one client of a process."""

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
    """The database that `uri` names, or `campaigns` if it names none.

    Everybody in the process who asks for the same gets the same client. It connects when it is
    first used; an operation takes at most `timeout_seconds`, with all its retries.

    Raises:
        BadInput: there is no address, or it is none.
    """
    if not uri:
        raise BadInput(
            "there is no address of a database",
            field="mongodb_uri",
            remedy="set CAMPAIGN_WORKERS_MONGODB_URI",
        )
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
        # The driver's text quotes the address, which holds a password.
        raise BadInput("not an address of a database", field="mongodb_uri") from None
