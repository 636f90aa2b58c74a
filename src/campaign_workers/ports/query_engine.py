"""Port of the engine that merges files of the lake."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol


class Merge(Protocol):
    """A merge in progress."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of one Avro file with every record of the sources.

        Raises:
            RetryLater: a source cannot be read, or the query failed.
        """
        ...

    def counts(self) -> Mapping[str, int]:
        """Return the number of records by source key; complete once `chunks` is exhausted.

        Raises: nothing.
        """
        ...


class QueryEngine(Protocol):
    """Merges many files of the lake into one."""

    def merge(
        self, record_type: str, sources: Sequence[str], metadata: Mapping[str, str]
    ) -> AbstractContextManager[Merge]:
        """Return a context in which source files are merged; its exit removes temporary data.

        Args:
            record_type: type of the records in all sources.
            sources: keys of the source files.
            metadata: entries for the header of the merged file.

        Raises:
            BadInput: a source is not an Avro file, or its schema is not in the history.
            RetryLater: the engine fails.
        """
        ...
