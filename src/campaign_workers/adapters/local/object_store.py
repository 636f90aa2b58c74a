"""A bucket in a folder: one file an object, and nothing else to keep in step."""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BufferedReader, BufferedWriter, BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from campaign_workers.adapters.local.folder import Folder, disk
from campaign_workers.domain.errors import Conflict, NotFound
from campaign_workers.ports.object_store import ObjectInfo
from campaign_workers.ports.system import Clock

_CHUNK_BYTES: Final = 1024 * 1024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SETTLED_NS: Final = 100_000_000
"""File systems stamp changes some milliseconds coarse, and use inodes again: a file that changed
less than this ago may be replaced without a trace, so that nothing is remembered of it."""

_Version = tuple[int, int, int, int]


class FolderObjectStore:
    """A bucket; `on_created` callbacks hear of every object that was written or copied."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = Folder(folder), clock
        self._etags: dict[str, tuple[_Version, str]] = {}
        self._listeners: list[Callable[[ObjectInfo], None]] = []

    def on_created(self, callback: Callable[[ObjectInfo], None]) -> None:
        """Tell `callback` of every object that is written from now on."""
        self._listeners.append(callback)

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        with self._folder.open(key) as file:
            return self._info(key, file)

    def open(
        self, key: str, *, etag: str | None = None, start: int = 0, length: int | None = None
    ) -> BinaryIO:
        """See `ObjectStore.open`; the file that was opened stays the same under a later put."""
        file = self._folder.open(key)
        if etag is not None and self._info(key, file).etag != etag:
            file.close()
            raise Conflict(f"{key}: another version by now")
        file.seek(start)
        if length is None:
            return file
        with file:
            return BytesIO(file.read(length))

    def put(
        self,
        key: str,
        body: bytes | Iterable[bytes],
        *,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> ObjectInfo:
        """See `ObjectStore.put`."""
        self._folder.path(key)
        with self._folder.unfinished() as (file, path):
            info = self._write(key, file, (body,) if isinstance(body, bytes) else body)
            with self._folder.exclusive():
                self._require(key, if_absent=if_absent, if_match=if_match)
                self._folder.place(path, key)
        for listener in self._listeners:
            listener(info)
        return info

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        for key in sorted(self._folder.keys(prefix)):
            if key > after:
                with suppress(NotFound):
                    yield self.head(key)

    def copy(self, source: str, target: str) -> ObjectInfo:
        """See `ObjectStore.copy`."""
        with self.open(source) as file:
            return self.put(target, iter(lambda: file.read(_CHUNK_BYTES), b""))

    def checksum(self, key: str) -> str:
        """See `ObjectStore.checksum`."""
        with self._folder.open(key) as file, disk(key):
            return hashlib.file_digest(file, "sha256").hexdigest()

    def delete(self, keys: Iterable[str]) -> None:
        """See `ObjectStore.delete`; folders that become empty go too."""
        for key in keys:
            self._folder.remove(key)

    def _info(self, key: str, file: BufferedReader) -> ObjectInfo:
        with disk(key):
            status = os.fstat(file.fileno())
            return ObjectInfo(
                key=key,
                size=status.st_size,
                etag=self._etag(key, file, status),
                modified=_EPOCH + status.st_mtime_ns // 1000 * _MICROSECOND,
            )

    def _etag(self, key: str, file: BufferedReader, status: os.stat_result) -> str:
        version = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = self._etags.get(key)
        if known is not None and known[0] == version:
            return known[1]
        settled = time.time_ns() - status.st_ctime_ns > _SETTLED_NS
        etag = hashlib.file_digest(file, "md5").hexdigest()
        if settled:
            self._etags[key] = (version, etag)
        return etag

    def _write(self, key: str, file: BufferedWriter, body: Iterable[bytes]) -> ObjectInfo:
        digest, size = hashlib.md5(usedforsecurity=False), 0
        for chunk in body:
            digest.update(chunk)
            size += len(chunk)
            with disk(key):
                file.write(chunk)
        modified = self._clock.now()
        moment = (modified - _EPOCH) // _MICROSECOND * 1000
        with disk(key):
            file.flush()
            os.utime(file.fileno(), ns=(moment, moment))
        return ObjectInfo(key=key, size=size, etag=digest.hexdigest(), modified=modified)

    def _require(self, key: str, *, if_absent: bool, if_match: str | None) -> None:
        if not if_absent and if_match is None:
            return
        try:
            found: str | None = self.head(key).etag
        except NotFound:
            found = None
        if (if_absent and found) or (if_match is not None and found != if_match):
            raise Conflict(f"{key}: written by somebody else")
