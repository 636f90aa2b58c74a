"""What the driver raises becomes an error that says what to do, and quotes nothing."""

import traceback

import pytest
from bson.errors import InvalidDocument
from pymongo.database import Database
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from campaign_workers.adapters.mongo.connection import database as connect
from campaign_workers.adapters.mongo.errors import REFUSALS, translate_errors
from campaign_workers.domain.errors import BadInput, CampaignError, PermanentFailure, RetryLater
from tests.servers.mongo import OverMongo
from tests.servers.mongo_documents import Document

VALUE = "fan1@mail.example"

UNRESOLVED = ConfigurationError(VALUE)
UNRESOLVED.__cause__ = OSError(VALUE)

FAILURES = [
    UNRESOLVED,
    AutoReconnect(VALUE),
    NetworkTimeout(VALUE),
    NotPrimaryError(VALUE),
    ServerSelectionTimeoutError(VALUE),
    ExecutionTimeout(VALUE, 50),
    DuplicateKeyError(VALUE, 11000, {"keyValue": {"email": VALUE}}),
    OperationFailure(VALUE, 112),
    OperationFailure(VALUE),
]
REFUSED = [
    *(OperationFailure(VALUE, code) for code in REFUSALS),
    ConfigurationError(VALUE),
    InvalidDocument(VALUE),
    DocumentTooLarge(VALUE),
]


def told(error: Exception) -> CampaignError:
    """What callers get when the driver raises `error`."""
    with pytest.raises(CampaignError) as caught, translate_errors():
        raise error
    assert VALUE not in "".join(traceback.format_exception(caught.value))
    return caught.value


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_failures_ask_for_another_try(error: Exception) -> None:
    """What may pass by itself gives the work back, naming the kind of failure alone."""
    assert type(told(error)) is RetryLater
    assert type(error).__name__ in str(told(error))


@pytest.mark.parametrize("error", REFUSED, ids=lambda e: f"{type(e).__name__}-{e!r:.0}")
def test_refusals_stop(error: Exception) -> None:
    """What the database says again however often it is asked needs a person."""
    assert type(told(error)) is PermanentFailure


def test_other_errors_pass() -> None:
    """A defect is no failure of the database."""
    with pytest.raises(KeyError), translate_errors():
        raise KeyError("x")


class TestRefusals(OverMongo):
    """Refusals of a server."""

    def test_a_document_that_cannot_be_one_is_refused(self, database: Database[Document]) -> None:
        """Neither a wrong type nor too much of it is tried again."""
        for wrong in ({"x": object()}, {"x": "x" * (17 << 20)}):
            with pytest.raises(PermanentFailure), translate_errors():
                database.adminStats.insert_one(wrong)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (None, "CAMPAIGN_WORKERS_MONGODB_URI"),
        ("", "CAMPAIGN_WORKERS_MONGODB_URI"),
        ("mongodb://user:pass-word@[::1", "not a valid MongoDB connection string"),
        ("mongodb://user:pass-word@host:70000", "not a valid MongoDB connection string"),
        ("mongodb://user:pass/word@host", "not a valid MongoDB connection string"),
    ],
)
def test_a_wrong_address_is_not_quoted(uri: str | None, said: str) -> None:
    """The setting is named, the password that stands in it is not."""
    with pytest.raises(BadInput, match=said) as caught:
        connect(uri)
    assert "mongodb_uri" in str(caught.value)
    assert "pass" not in "".join(traceback.format_exception(caught.value))


def test_one_client_a_process() -> None:
    """Equal arguments give the same client, which connects on first use."""
    one = connect("mongodb://127.0.0.1:1/stats")
    assert connect("mongodb://127.0.0.1:1/stats").client is one.client
    assert one.name == "stats"
    assert connect("mongodb://127.0.0.1:1").name == "campaigns"
    assert not one.client.nodes
    for each in (one, connect("mongodb://127.0.0.1:1")):
        each.client.close()
