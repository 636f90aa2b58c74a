"""A bucket in a folder: one file an object, and nothing else to keep in step."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BufferedReader, BytesIO
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from campaign_workers.domain.errors import Conflict, Fatal, NotFound
from campaign_workers.domain.limits import checked_key
from campaign_workers.ports.object_store import ObjectInfo
from campaign_workers.ports.system import Clock

_CHUNK_BYTES: Final = 1024 * 1024
_UNFINISHED: Final = ".unfinished"
_LOCK: Final = ".lock"


class FolderObjectStore:
    """A bucket; `on_created` callbacks hear of every object that was written or copied.

    An object is written beside its place and moved there when it is whole. A lock file lets
    several processes write with preconditions.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder, clock
        self._etags: dict[tuple[str, int, int], str] = {}
        self._listeners: list[Callable[[ObjectInfo], None]] = []
        self._numbers = count()
        (folder / _UNFINISHED).mkdir(parents=True, exist_ok=True)

    def on_created(self, callback: Callable[[ObjectInfo], None]) -> None:
        """Tell `callback` of every object that is written from now on."""
        self._listeners.append(callback)

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        with self._opened(key) as file:
            return self._info(key, file)

    def open(
        self, key: str, *, etag: str | None = None, start: int = 0, length: int | None = None
    ) -> BinaryIO:
        """See `ObjectStore.open`; the file that was opened stays the same under a later put."""
        file = self._opened(key)
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
        target = self._path(key)
        unfinished = self._folder / _UNFINISHED / f"{os.getpid()}-{next(self._numbers)}"
        try:
            with unfinished.open("wb") as file:
                for chunk in (body,) if isinstance(body, bytes) else body:
                    file.write(chunk)
            moment = self._clock.now().timestamp()
            os.utime(unfinished, (moment, moment))
            with self._exclusive():
                self._require(key, if_absent=if_absent, if_match=if_match)
                self._place(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)
        info = self.head(key)
        for listener in self._listeners:
            listener(info)
        return info

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        keys = [
            key
            for key in self._keys(prefix)
            if key.startswith(prefix) and key.encode() > after.encode()
        ]
        for key in sorted(keys, key=str.encode):
            with suppress(NotFound):
                yield self.head(key)

    def copy(self, source: str, target: str) -> ObjectInfo:
        """See `ObjectStore.copy`."""
        with self.open(source) as file:
            return self.put(target, iter(lambda: file.read(_CHUNK_BYTES), b""))

    def checksum(self, key: str) -> str:
        """See `ObjectStore.checksum`."""
        with self._opened(key) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def delete(self, keys: Iterable[str]) -> None:
        """See `ObjectStore.delete`; folders that become empty go too."""
        with self._exclusive():
            for key in keys:
                self._delete(self._path(key))

    def _path(self, key: str) -> Path:
        segments = checked_key(key).split("/")
        if segments[0] in {_UNFINISHED, _LOCK} or key.endswith("/") or "\0" in key:
            raise Fatal("a key that a folder cannot hold")
        return self._folder.joinpath(*segments)

    def _opened(self, key: str) -> BufferedReader:
        try:
            return self._path(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotFound(f"{key}: no such object") from None
        except OSError as error:
            raise Fatal(f"{key}: {error.strerror}") from None

    def _info(self, key: str, file: BufferedReader) -> ObjectInfo:
        status = os.fstat(file.fileno())
        version = (key, status.st_size, status.st_ino ^ status.st_mtime_ns)
        if version not in self._etags:
            self._etags[version] = hashlib.file_digest(file, "md5").hexdigest()
        return ObjectInfo(
            key=key,
            size=status.st_size,
            etag=self._etags[version],
            modified=datetime.fromtimestamp(status.st_mtime, UTC),
        )

    def _keys(self, prefix: str) -> Iterator[str]:
        root = self._folder.joinpath(*prefix.split("/")[:-1])
        for folder, _, names in os.walk(root):
            relative = Path(folder).relative_to(self._folder)
            if relative.parts[:1] == (_UNFINISHED,):
                continue
            yield from (
                (relative / name).as_posix()
                for name in names
                if (relative / name).as_posix() != _LOCK
            )

    def _require(self, key: str, *, if_absent: bool, if_match: str | None) -> None:
        if not if_absent and if_match is None:
            return
        try:
            found: ObjectInfo | None = self.head(key)
        except NotFound:
            found = None
        if (if_absent and found) or (
            if_match is not None and (found is None or found.etag != if_match)
        ):
            raise Conflict(f"{key}: written by somebody else")

    def _place(self, unfinished: Path, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished.replace(target)
        except OSError as error:
            raise Fatal(
                f"{target.relative_to(self._folder)}: {error.strerror}; a folder cannot hold it"
            ) from None

    def _delete(self, path: Path) -> None:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
        with suppress(OSError):
            for folder in path.parents:
                if folder == self._folder:
                    return
                folder.rmdir()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with (self._folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
