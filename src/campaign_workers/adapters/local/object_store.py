"""A bucket in a folder: one file an object, and nothing else to keep in step."""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import BufferedReader, BufferedWriter, BytesIO
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO, Final

from campaign_workers.domain.errors import Conflict, Fatal, NotFound, RetryLater
from campaign_workers.domain.limits import checked_key
from campaign_workers.ports.object_store import ObjectInfo
from campaign_workers.ports.system import Clock

_CHUNK_BYTES: Final = 1024 * 1024
_LONGEST_NAME: Final = 255
_PRIVATE: Final = ".bucket"
_UNFINISHED: Final = "unfinished-"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SETTLED_NS: Final = 100_000_000
"""File systems stamp changes some milliseconds coarse, and use inodes again: a file that changed
less than this ago may be replaced without a trace, so that nothing is remembered of it."""

_Version = tuple[int, int, int, int]


class FolderObjectStore:
    """A bucket; `on_created` callbacks hear of every object that was written or copied.

    An object is written beside its place and moved there when it is whole. A lock file lets
    several processes write with preconditions. Links are not followed. A folder holds fewer keys
    than a bucket: no name over 255 bytes, and no object whose key is another one's folder.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        (folder / _PRIVATE).mkdir(parents=True, exist_ok=True)
        self._folder, self._clock = folder.resolve(), clock
        self._etags: dict[str, tuple[_Version, str]] = {}
        self._listeners: list[Callable[[ObjectInfo], None]] = []
        self._remove_unfinished()

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
        with self._unfinished() as (file, unfinished):
            info = self._write(key, file, (body,) if isinstance(body, bytes) else body)
            with self._exclusive():
                self._require(key, if_absent=if_absent, if_match=if_match)
                self._place(unfinished, target)
        for listener in self._listeners:
            listener(info)
        return info

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        start = after.encode()
        for key in sorted(self._keys(prefix), key=str.encode):
            if key.encode() <= start:
                continue
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
        for key in keys:
            path = self._path(key)
            with self._exclusive():
                with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                    path.unlink()
                self._remove_empty(path.parent)

    def _path(self, key: str) -> Path:
        segments = checked_key(key).split("/")
        if segments[0] == _PRIVATE or "\0" in key:
            raise Fatal(f"{key!r}: a key that a folder cannot hold")
        if any(len(segment.encode()) > _LONGEST_NAME for segment in segments):
            raise Fatal(f"a key with a name over {_LONGEST_NAME} bytes, which no folder can hold")
        path = self._folder.joinpath(*segments)
        if path.parent.resolve() != path.parent:
            raise Fatal(f"{key}: a link is on the way, and links are not followed")
        return path

    def _opened(self, key: str) -> BufferedReader:
        path = self._path(key)
        if path.is_symlink():
            raise NotFound(f"{key}: no such object")
        try:
            return path.open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotFound(f"{key}: no such object") from None
        except OSError as error:
            raise RetryLater(f"{key}: {error.strerror}") from None

    def _info(self, key: str, file: BufferedReader) -> ObjectInfo:
        status = os.fstat(file.fileno())
        return ObjectInfo(
            key=key,
            size=status.st_size,
            etag=self._etag(key, file, status),
            modified=_EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000),
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

    def _keys(self, prefix: str) -> Iterator[str]:
        *folders, _ = prefix.split("/")
        if not {"", ".", ".."}.isdisjoint(folders) or folders[:1] == [_PRIVATE] or "\0" in prefix:
            return
        root = self._folder.joinpath(*folders)
        for folder, children, names in os.walk(root) if root.resolve() == root else ():
            relative = Path(folder).relative_to(self._folder)
            if relative == Path():
                children[:] = [name for name in children if name != _PRIVATE]
            for key in ((relative / name).as_posix() for name in names):
                if key.startswith(prefix) and self._holds(key):
                    yield key

    def _holds(self, key: str) -> bool:
        """Whether a file is an object: no link, and its name is text."""
        is_text = key.encode(errors="replace") == key.encode(errors="surrogateescape")
        return is_text and not (self._folder / key).is_symlink()

    def _write(self, key: str, file: BufferedWriter, body: Iterable[bytes]) -> ObjectInfo:
        digest, size = hashlib.md5(usedforsecurity=False), 0
        for chunk in body:
            digest.update(chunk)
            size += len(chunk)
            with _disk(key):
                file.write(chunk)
        modified = self._clock.now()
        moment = (modified - _EPOCH) // timedelta(microseconds=1) * 1000
        with _disk(key):
            file.flush()
            os.utime(file.fileno(), ns=(moment, moment))
        return ObjectInfo(key=key, size=size, etag=digest.hexdigest(), modified=modified)

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
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise Fatal(
                f"{target.relative_to(self._folder)}: a folder cannot hold an object under"
                " another one's key"
            ) from None

    def _remove_empty(self, folder: Path) -> None:
        with suppress(OSError):
            while folder != self._folder:
                folder.rmdir()
                folder = folder.parent

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with (self._folder / _PRIVATE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _unfinished(self) -> Iterator[tuple[BufferedWriter, Path]]:
        """A file of its own, locked as long as somebody writes it."""
        with self._exclusive():
            number, name = mkstemp(prefix=_UNFINISHED, dir=self._folder / _PRIVATE)
            fcntl.flock(number, fcntl.LOCK_EX)
        with os.fdopen(number, "wb") as file:
            try:
                yield file, Path(name)
            finally:
                Path(name).unlink(missing_ok=True)

    def _remove_unfinished(self) -> None:
        """Remove what nobody writes any more, because the process was killed."""
        with self._exclusive():
            for path in (self._folder / _PRIVATE).glob(f"{_UNFINISHED}*"):
                with path.open("rb") as file, suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()


@contextmanager
def _disk(key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RetryLater(f"{key}: {error.strerror}") from None
