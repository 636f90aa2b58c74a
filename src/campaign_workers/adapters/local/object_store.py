"""The `ObjectStore` port on a folder: one file per object, and no index beside it."""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BufferedReader, BufferedWriter, BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from campaign_workers.adapters.local.folder import Folder, translate_disk_errors
from campaign_workers.domain.errors import Conflict, NotFound
from campaign_workers.ports.object_store import ObjectInfo
from campaign_workers.ports.system import Clock

_CHUNK_BYTES: Final = 1024 * 1024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CACHEABLE_AGE_NS: Final = 100_000_000
"""Etags of younger files are not cached. Timestamps are only accurate to some milliseconds and
inodes are reused, so a replacement of a file that changed just now could go unnoticed."""

_Version = tuple[int, int, int, int]


class FolderObjectStore:
    """Serves `ObjectStore`; `on_created` callbacks are called for every put and copy."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = Folder(folder), clock
        self._etags: dict[str, tuple[_Version, str]] = {}
        self._listeners: list[Callable[[ObjectInfo], None]] = []

    def on_created(self, callback: Callable[[ObjectInfo], None]) -> None:
        """Call `callback` for every object that is written from now on."""
        self._listeners.append(callback)

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        with self._folder.open(key) as file:
            return self._info(key, file)

    def open(
        self, key: str, *, etag: str | None = None, start: int = 0, length: int | None = None
    ) -> BinaryIO:
        """See `ObjectStore.open`; a later put does not change a file that is open."""
        file = self._folder.open(key)
        if etag is not None and (actual := self._info(key, file).etag) != etag:
            file.close()
            raise Conflict(f"{key}: etag mismatch (expected {etag}, found {actual})")
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
        with self._folder.temporary_file() as (file, path):
            info = self._write(key, file, (body,) if isinstance(body, bytes) else body)
            with self._folder.lock():
                self._check_preconditions(key, if_absent=if_absent, if_match=if_match)
                self._folder.move_into_place(path, key)
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
        with self._folder.open(key) as file, translate_disk_errors(key):
            return hashlib.file_digest(file, "sha256").hexdigest()

    def delete(self, keys: Iterable[str]) -> None:
        """See `ObjectStore.delete`; folders that become empty are removed too."""
        for key in keys:
            self._folder.remove(key)

    def _info(self, key: str, file: BufferedReader) -> ObjectInfo:
        with translate_disk_errors(key):
            status = os.fstat(file.fileno())
            return ObjectInfo(
                key=key,
                size=status.st_size,
                etag=self._etag(key, file, status),
                modified=_EPOCH + status.st_mtime_ns // 1000 * _MICROSECOND,
            )

    def _etag(self, key: str, file: BufferedReader, status: os.stat_result) -> str:
        version = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        cached = self._etags.get(key)
        if cached is not None and cached[0] == version:
            return cached[1]
        cacheable = time.time_ns() - status.st_ctime_ns > _CACHEABLE_AGE_NS
        etag = hashlib.file_digest(file, "md5").hexdigest()
        if cacheable:
            self._etags[key] = (version, etag)
        return etag

    def _write(self, key: str, file: BufferedWriter, body: Iterable[bytes]) -> ObjectInfo:
        digest, size = hashlib.md5(usedforsecurity=False), 0
        for chunk in body:
            digest.update(chunk)
            size += len(chunk)
            with translate_disk_errors(key):
                file.write(chunk)
        modified = self._clock.now()
        moment = (modified - _EPOCH) // _MICROSECOND * 1000
        with translate_disk_errors(key):
            file.flush()
            os.utime(file.fileno(), ns=(moment, moment))
        return ObjectInfo(key=key, size=size, etag=digest.hexdigest(), modified=modified)

    def _check_preconditions(self, key: str, *, if_absent: bool, if_match: str | None) -> None:
        if not if_absent and if_match is None:
            return
        try:
            actual: str | None = self.head(key).etag
        except NotFound:
            actual = None
        if if_absent and actual:
            raise Conflict(f"{key}: precondition failed (expected no object)")
        if if_match is not None and actual != if_match:
            found = actual or "no object"
            raise Conflict(f"{key}: precondition failed (expected {if_match}, found {found})")
