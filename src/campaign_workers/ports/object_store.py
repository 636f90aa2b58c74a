"""One bucket of objects."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, Protocol

import attrs


@attrs.frozen(kw_only=True)
class ObjectInfo:
    """What a bucket says about an object; `etag` changes when the content does."""

    key: str
    size: int
    etag: str
    modified: datetime


class ObjectStore(Protocol):
    """A bucket: keys to bytes. Writes are atomic, reads after a write see it.

    Keys are UTF-8 text of 1 to 1024 bytes, without a leading `/`, an empty, `.` or `..` segment.
    Every method raises `RetryLater` when the store fails and `Fatal` for a refused key.
    """

    def head(self, key: str) -> ObjectInfo:
        """Size, etag and time of an object.

        Raises:
            NotFound: there is none.
        """
        ...

    def open(
        self, key: str, *, etag: str | None = None, start: int = 0, length: int | None = None
    ) -> BinaryIO:
        """The bytes from `start`, at most `length` of them, as a stream that the caller closes.

        Raises:
            NotFound: there is no such object.
            Conflict: `etag` is given and the object has another one by now.
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
        """Write an object, whole or not at all: when `body` raises, nothing is changed.

        Raises:
            Conflict: `if_absent` and there is one, or `if_match` is not its etag.
        """
        ...

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """Objects whose keys start with `prefix` and sort after `after`, ascending, any number.

        Raises:
            RetryLater: the store fails.
        """
        ...

    def copy(self, source: str, target: str) -> ObjectInfo:
        """Copy an object within the bucket; the copy has the source's etag or a verified equal.

        Raises:
            NotFound: there is no source.
        """
        ...

    def checksum(self, key: str) -> str:
        """SHA-256 of an object's bytes, in hex.

        Raises:
            NotFound: there is no such object.
        """
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are not there are no error.

        Raises:
            RetryLater: the store fails.
        """
        ...
