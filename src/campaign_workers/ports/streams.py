"""Ports of the streams and queues that workers write to."""

from collections.abc import Iterable
from typing import Protocol


class RecordStream(Protocol):
    """One stream; records with the same partition key keep their order."""

    def put(self, records: Iterable[tuple[str, bytes]]) -> int:
        """Put any number of records and return how many were put.

        The adapter sends batches and retries only the records that failed. Records that were put
        before an error stay on the stream.

        Args:
            records: pairs of partition key and data.

        Raises:
            RejectRecord: a record with its key is over 1 MiB, or a key is empty or over 256
                characters; the records before it were put.
            RetryLater: some records could not be put after all retries.
        """
        ...


class MessageQueue(Protocol):
    """One queue with at-least-once delivery."""

    def send(self, bodies: Iterable[str]) -> int:
        """Send any number of messages and return how many were sent.

        Raises:
            RejectRecord: a message is empty, over 256 KiB in UTF-8, or has control characters
                other than tabs and line ends; the messages before it were sent.
            RetryLater: some messages could not be sent after all retries.
        """
        ...
