"""Files by key under one folder, with atomic writes and a lock between processes."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from campaign_workers.domain.errors import Fatal, NotFound, RetryLater
from campaign_workers.domain.storage.layout import validate_object_key

_MAX_NAME_BYTES: Final = 255
_PRIVATE: Final = ".bucket"
_TEMPORARY: Final = "unfinished-"
_NOT_THERE: Final = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class Folder:
    """One file per key; symbolic links are not followed, so that no key leads out of the folder.

    A file is written to a temporary name and then moved into place. Processes coordinate with a
    lock file. Not every key of a bucket is possible: names have at most 255 bytes, and a key cannot
    be below another object's key.
    """

    def __init__(self, root: Path) -> None:
        (root / _PRIVATE).mkdir(parents=True, exist_ok=True)
        self._root = root.resolve()
        self._remove_abandoned_files()

    def path(self, key: str) -> Path:
        """Return the path of the file of `key`.

        Raises:
            Fatal: the key is not valid, or is not possible in a folder.
        """
        segments = validate_object_key(key).split("/")
        if segments[0] == _PRIVATE or "\0" in key:
            raise Fatal(f"{key!r}: not a valid key in a folder; use another name")
        if any(len(segment.encode()) > _MAX_NAME_BYTES for segment in segments):
            raise Fatal(f"a name in the key exceeds {_MAX_NAME_BYTES} bytes; use a shorter one")
        path = self._root.joinpath(*segments)
        if path.parent.resolve() != path.parent:
            raise Fatal(f"{key}: its path contains a symbolic link; replace it by a folder")
        return path

    def open(self, key: str) -> BufferedReader:
        """Open the file at `key`; later writes do not change what is read.

        Raises:
            NotFound: there is no such file.
        """
        path = self.path(key)
        with translate_disk_errors(key):
            try:
                if not path.is_symlink():
                    return path.open("rb")
            except _NOT_THERE:
                pass
        raise NotFound(f"{key}: no such object")

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that start with `prefix`, unordered; symbolic links are included."""
        *folders, _ = prefix.split("/")
        try:
            top = self.path("/".join(folders)) if folders else self._root
        except Fatal:
            return
        if top.is_symlink():
            return
        with translate_disk_errors(prefix):
            for folder, children, names in os.walk(top, onerror=_raise):
                relative = Path(folder).relative_to(self._root)
                if relative == Path():
                    children[:] = [name for name in children if name != _PRIVATE]
                for key in ((relative / name).as_posix() for name in names):
                    if key.startswith(prefix) and _is_text(key):
                        yield key

    def move_into_place(self, file: Path, key: str) -> None:
        """Move a complete file to its key; the caller holds the lock.

        Raises:
            Fatal: the key is a folder, or is below another object's key.
        """
        target = self.path(key)
        with translate_disk_errors(key):
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                file.replace(target)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise Fatal(
                    f"{key}: a key in a folder cannot be above or below another object's key"
                ) from None

    def remove(self, key: str) -> None:
        """Remove the file at `key`, if there is one, and the folders that become empty."""
        path = self.path(key)
        with self.lock(), translate_disk_errors(key):
            with suppress(*_NOT_THERE):
                path.unlink()
            with suppress(OSError):
                for folder in path.relative_to(self._root).parents[:-1]:
                    (self._root / folder).rmdir()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder's lock, which excludes writers in all processes."""
        with translate_disk_errors("the lock"):
            lock = (self._root / _PRIVATE / "lock").open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with lock:
            yield

    @contextmanager
    def temporary_file(self) -> Iterator[tuple[BufferedWriter, Path]]:
        """Yield a new file and its path; it is removed afterwards unless it was moved."""
        with self.lock(), translate_disk_errors("a new file"):
            number, name = mkstemp(prefix=_TEMPORARY, dir=self._root / _PRIVATE)
            file = os.fdopen(number, "wb")
            # The lock is released when the process closes the file or dies.
            fcntl.flock(file, fcntl.LOCK_EX)
        with file:
            try:
                yield file, Path(name)
            finally:
                Path(name).unlink(missing_ok=True)

    def _remove_abandoned_files(self) -> None:
        """Remove the temporary files of killed processes, whose locks are free."""
        with self.lock(), translate_disk_errors("temporary files"):
            for path in (self._root / _PRIVATE).glob(f"{_TEMPORARY}*"):
                with path.open("rb") as file, suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()


@contextmanager
def translate_disk_errors(what: str) -> Iterator[None]:
    """Translate errors of the file system.

    Raises:
        RetryLater: the file system failed; the message names `what`.
    """
    try:
        yield
    except OSError as error:
        raise RetryLater(f"{what}: {error.strerror}") from None


def _raise(error: OSError) -> None:
    if not isinstance(error, _NOT_THERE):
        raise error


def _is_text(name: str) -> bool:
    return name.encode(errors="replace") == name.encode(errors="surrogateescape")
