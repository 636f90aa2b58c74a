"""Merging files of the lake."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol


class Merge(Protocol):
    """One merge under way."""

    def chunks(self) -> Iterator[bytes]:
        """The bytes of one Avro container that holds every record of the sources, once.

        Raises:
            RetryLater: a source cannot be read, or the query failed.
        """
        ...

    def counts(self) -> Mapping[str, int]:
        """Records that each source gave; complete once `chunks` is exhausted.

        Raises: nothing.
        """
        ...


class QueryEngine(Protocol):
    """Reads many files of the lake as one."""

    def merge(
        self, record_type: str, sources: Sequence[str], metadata: Mapping[str, str]
    ) -> AbstractContextManager[Merge]:
        """Merge source objects of the lake; leaving the context cleans up whatever was made.

        `metadata` goes into the header of the container.

        Raises:
            BadInput: a source is no Avro container, or its schema is not in the history.
            RetryLater: the engine fails.
        """
        ...
