"""Errors of the driver become the domain's at the edge of this room, once.

Their texts stay here: they quote hosts, and values of documents.
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
    13: "the database does not allow this to its user",
    18: "the database does not know its user",
    85: "an index of this name has other keys",
    86: "an index of this name has other keys",
    121: "the collection's rules refuse the document",
    10334: "the document is too large",
    4031700: "the answer is too large",
}
"""What the database says again however often it is asked, by code."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate what the driver raises; as a decorator, too.

    Raises:
        PermanentFailure: the database refuses, or the document cannot be one.
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
            # The driver says so of what the name server says, which may be another thing next time.
            raise RetryLater(f"the database's name is not resolved ({_name(error)})") from None
        raise PermanentFailure(f"the database cannot be asked this ({_name(error)})") from None
    except BSONError as error:
        raise PermanentFailure(f"the database cannot be asked this ({_name(error)})") from None
    except ServerSelectionTimeoutError as error:
        why = "no server of the database can be reached; is it up, and its address right?"
        raise RetryLater(f"{why} ({_name(error)})") from None
    except PyMongoError as error:
        raise RetryLater(f"the database failed ({_name(error)})") from None


def _name(error: Exception) -> str:
    return type(error).__name__
