"""Translation of the MongoDB driver's errors into errors of the domain.

The driver's messages are dropped, because they quote hosts and values of documents.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bson.errors import BSONError
from pymongo.errors import (
    ConfigurationError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from campaign_workers.domain.errors import PermanentFailure, RetryLater

REFUSALS: Final = {
    13: "the database user lacks the permission",
    18: "the database does not accept the user or the password",
    85: "an index of this name has other keys",
    86: "an index of this name has other keys",
    121: "the document violates the collection's validation rules",
    10334: "the document is too large",
    4031700: "the result is too large",
}
"""Errors that a retry cannot overcome, by code."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate the driver's errors; also usable as a decorator.

    Raises:
        PermanentFailure: the database rejects the request, or a value cannot be stored.
        RetryLater: the database fails in any other way.
    """
    try:
        yield
    except OperationFailure as error:
        if error.code in REFUSALS:
            raise PermanentFailure(f"{REFUSALS[error.code]} ({error.code})") from None
        raise RetryLater(f"the database failed ({_name(error)}, {error.code})") from None
    except ConfigurationError as error:
        if error.__cause__ is not None:
            # Raised for DNS failures, which may be transient.
            raise RetryLater(f"the database's host name has no address ({_name(error)})") from None
        raise PermanentFailure(f"the request is not valid ({_name(error)})") from None
    except BSONError as error:
        raise PermanentFailure(f"the request is not valid ({_name(error)})") from None
    except ServerSelectionTimeoutError as error:
        why = "no database server is reachable; check that it runs, and its address"
        raise RetryLater(f"{why} ({_name(error)})") from None
    except PyMongoError as error:
        raise RetryLater(f"the database failed ({_name(error)})") from None


def _name(error: Exception) -> str:
    return type(error).__name__
