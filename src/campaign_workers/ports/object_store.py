"""Port of an object store (a bucket)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, Protocol

import attrs


@attrs.frozen(kw_only=True)
class ObjectInfo:
    """Metadata of an object; `etag` changes when the content does."""

    key: str
    size: int
    etag: str
    modified: datetime


class ObjectStore(Protocol):
    """One bucket: bytes by key. Writes are atomic, and later reads see them.

    Keys are UTF-8 text of 1 to 1024 bytes, without a leading `/` and without empty, `.` or `..`
    segments. Every method raises `RetryLater` if the store fails, and `Fatal` for an invalid key.
    """

    def head(self, key: str) -> ObjectInfo:
        """Return the metadata of an object.

        Raises:
            NotFound: there is no such object.
        """
        ...

    def open(
        self, key: str, *, etag: str | None = None, start: int = 0, length: int | None = None
    ) -> BinaryIO:
        """Open an object for reading; the caller closes the stream.

        Args:
            key: key of the object.
            etag: the expected version.
            start: offset of the first byte.
            length: number of bytes to read at most.

        Raises:
            NotFound: there is no such object.
            Conflict: the object has another ETag than `etag`.
        """
        ...

    def put(
        self,
        key: str,
        body: bytes | Iterable[bytes],
        *,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> ObjectInfo:
        """Write an object atomically; if iterating `body` raises, nothing changes.

        Args:
            key: key of the object.
            body: the content, or its chunks.
            if_absent: write only if there is no such object.
            if_match: write only if this is the ETag of the current version.

        Raises:
            Conflict: the condition does not hold.
        """
        ...

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose keys start with `prefix` and sort after `after`, ascending.

        Raises:
            RetryLater: the store fails.
        """
        ...

    def copy(self, source: str, target: str) -> ObjectInfo:
        """Copy an object within the bucket, and return the metadata of the copy.

        The copy has the ETag of the source, or the adapter has verified that the content is equal.

        Raises:
            NotFound: there is no object `source`.
        """
        ...

    def checksum(self, key: str) -> str:
        """Return the SHA-256 of an object's bytes in hex.

        Raises:
            NotFound: there is no such object.
        """
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; keys without an object are ignored.

        Raises:
            RetryLater: the store fails.
        """
        ...
