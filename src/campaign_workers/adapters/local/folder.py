"""Files by key under one folder, written whole or not at all."""

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

_LONGEST_NAME: Final = 255
_PRIVATE: Final = ".bucket"
_UNFINISHED: Final = "unfinished-"
_NOT_THERE: Final = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class Folder:
    """One file a key. Nothing leads out of it: links are not followed.

    A file is written beside its place and moved there when it is whole; a lock file lets several
    processes agree. A folder holds fewer keys than a bucket: no name over 255 bytes, and nothing
    under a key that is itself a file's.
    """

    def __init__(self, root: Path) -> None:
        (root / _PRIVATE).mkdir(parents=True, exist_ok=True)
        self._root = root.resolve()
        self._remove_unfinished()

    def path(self, key: str) -> Path:
        """Where the file of `key` lies.

        Raises:
            Fatal: a bucket does not take the key, or a folder cannot hold it.
        """
        segments = validate_object_key(key).split("/")
        if segments[0] == _PRIVATE or "\0" in key:
            raise Fatal(f"{key!r}: a key that a folder cannot hold")
        if any(len(segment.encode()) > _LONGEST_NAME for segment in segments):
            raise Fatal(f"a key with a name over {_LONGEST_NAME} bytes, which no folder can hold")
        path = self._root.joinpath(*segments)
        if path.parent.resolve() != path.parent:
            raise Fatal(f"{key}: a link is on the way, and links are not followed")
        return path

    def open(self, key: str) -> BufferedReader:
        """The file at `key`, which stays the version that it is.

        Raises:
            NotFound: there is none.
        """
        path = self.path(key)
        with disk(key):
            try:
                if not path.is_symlink():
                    return path.open("rb")
            except _NOT_THERE:
                pass
        raise NotFound(f"{key}: no such object")

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys that start with `prefix`, in no order; links among them, which cannot be opened."""
        *folders, _ = prefix.split("/")
        try:
            top = self.path("/".join(folders)) if folders else self._root
        except Fatal:
            return
        if top.is_symlink():
            return
        with disk(prefix):
            for folder, children, names in os.walk(top, onerror=_raise):
                relative = Path(folder).relative_to(self._root)
                if relative == Path():
                    children[:] = [name for name in children if name != _PRIVATE]
                for key in ((relative / name).as_posix() for name in names):
                    if key.startswith(prefix) and _is_text(key):
                        yield key

    def place(self, unfinished: Path, key: str) -> None:
        """Move a finished file to its key; the caller holds the lock.

        Raises:
            Fatal: the key is a folder, or lies under a file.
        """
        target = self.path(key)
        with disk(key):
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                unfinished.replace(target)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise Fatal(
                    f"{key}: a folder cannot hold an object under another one's key"
                ) from None

    def remove(self, key: str) -> None:
        """Remove the file at `key`, if there is one, and the folders that become empty."""
        path = self.path(key)
        with self.exclusive(), disk(key):
            with suppress(*_NOT_THERE):
                path.unlink()
            with suppress(OSError):
                for folder in path.relative_to(self._root).parents[:-1]:
                    (self._root / folder).rmdir()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nobody else changes the folder meanwhile, in whatever process."""
        with disk("the lock"):
            lock = (self._root / _PRIVATE / "lock").open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with lock:
            yield

    @contextmanager
    def unfinished(self) -> Iterator[tuple[BufferedWriter, Path]]:
        """A file to write; it is gone after the context, unless it was placed."""
        with self.exclusive(), disk("a new file"):
            number, name = mkstemp(prefix=_UNFINISHED, dir=self._root / _PRIVATE)
            file = os.fdopen(number, "wb")
            # Held until the process is done with the file, however it ends.
            fcntl.flock(file, fcntl.LOCK_EX)
        with file:
            try:
                yield file, Path(name)
            finally:
                Path(name).unlink(missing_ok=True)

    def _remove_unfinished(self) -> None:
        """Remove what nobody writes any more, because the process was killed."""
        with self.exclusive(), disk("unfinished files"):
            for path in (self._root / _PRIVATE).glob(f"{_UNFINISHED}*"):
                with path.open("rb") as file, suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()


@contextmanager
def disk(what: str) -> Iterator[None]:
    """Say what failed when the disk does.

    Raises:
        RetryLater: it does.
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
