"""The database that tests of the MongoDB adapters speak to, over the wire.

Each test process starts a server of its own when the first test needs one. `MONGODB_URI`, such as
`mongodb://127.0.0.1:27017`, points the tests at a MongoDB instead; they only touch databases of
unique names, and drop them.
"""

import atexit
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import pymongo
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from campaign_workers.adapters.mongo.connection import database
from campaign_workers.testing.contracts._base import Outage
from tests.servers.mongo_documents import Document
from tests.servers.mongo_relay import Relay

LAUNCHER: Final = Path(__file__).parent / "mongo_launch.py"
OUTAGE_SECONDS: Final = 1
"""How long a call waits for the end of an outage that is meant to last."""


@cache
def server_uri() -> str:
    """Where the server listens; one for the process that asks, until it ends."""
    if given := os.environ.get("MONGODB_URI"):
        return given
    process = subprocess.Popen(
        [sys.executable, LAUNCHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(_end, process)
    assert process.stdout is not None
    uri = process.stdout.readline().strip()
    assert uri, "the database server did not start"
    return uri


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


@cache
def raw_client() -> MongoClient[Document]:
    """The back door: straight to the server, with the driver's defaults."""
    client: MongoClient[Document] = MongoClient(server_uri(), tz_aware=True)
    atexit.register(client.close)
    return client


@cache
def relay() -> Relay:
    """What stands between the adapters and the server."""
    address = urlsplit(server_uri())
    return Relay(address.hostname or "127.0.0.1", address.port or 27017)


def uri_of(name: str) -> str:
    """The address of a database, by way of the relay."""
    address = urlsplit(server_uri())
    user, at, _ = address.netloc.rpartition("@")
    options = {
        "authSource": "admin",
        **dict(parse_qsl(address.query)),
        "directConnection": "true",
    }
    if not user:
        del options["authSource"]
    netloc = f"{user}{at}127.0.0.1:{relay().port}"
    return f"mongodb://{netloc}/{name}?{urlencode(options)}"


@cache
def _through_relay() -> MongoClient[Document]:
    client = database(uri_of("campaigns")).client
    atexit.register(client.close)
    return client


class OverMongo:
    """Gives tests a database of their own."""

    @pytest.fixture
    def database(self) -> Iterator[Database[Document]]:
        """An empty database as adapters get it; gone after the test."""
        name = f"test_{uuid4().hex}"
        yield _through_relay()[name]
        raw_client().drop_database(name)

    @pytest.fixture
    def raw(self, database: Database[Document]) -> Database[Document]:
        """The same database, through the back door."""
        return raw_client()[database.name]

    @pytest.fixture
    def outage(self) -> Outage:
        """Cuts the connections to the server."""

        @contextmanager
        def cut() -> Iterator[None]:
            with relay().cut(), pymongo.timeout(OUTAGE_SECONDS):
                yield

        return cut
