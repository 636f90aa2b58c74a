"""Streams and queues that workers put to."""

from collections.abc import Iterable
from typing import Protocol


class RecordStream(Protocol):
    """One stream; records of one partition key keep their order."""

    def put(self, records: Iterable[tuple[str, bytes]]) -> int:
        """Put (partition key, data) records, any number, and return how many were put.

        The adapter batches, and retries the failed ones alone. What was put before an error stays.

        Raises:
            RejectRecord: a record with its key is over 1 MiB, or a key is empty or over 256
                characters; the records before it are put.
            RetryLater: some could not be put after all retries.
        """
        ...


class MessageQueue(Protocol):
    """One queue, delivered at least once."""

    def send(self, bodies: Iterable[str]) -> int:
        """Send messages, any number, and return how many were sent.

        Raises:
            RejectRecord: a message is empty, over 256 KiB in UTF-8, or has control characters
                other than tabs and line ends; those before it are sent.
            RetryLater: some could not be sent after all retries.
        """
        ...
