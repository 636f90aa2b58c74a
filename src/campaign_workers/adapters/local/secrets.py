"""The `Secrets` port on files that only their owner can read."""

from pathlib import Path
from tempfile import NamedTemporaryFile

import attrs

from campaign_workers.domain.errors import Fatal, NotFound, RetryLater
from campaign_workers.domain.storage.layout import validate_object_key

_NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


@attrs.frozen
class FileSecrets:
    """Serves `Secrets` with one file per secret under `folder`; a final line break is ignored."""

    folder: Path

    def read(self, name: str) -> str:
        """See `Secrets.read`."""
        try:
            content = self._path(name).read_bytes()
        except _NOT_THERE:
            raise NotFound(f"no secret {name}") from None
        except OSError as error:
            raise RetryLater(f"secret {name}: {error.strerror}") from None
        return content.decode().removesuffix("\n")

    def write(self, name: str, secret: str) -> None:
        """Save a secret with an atomic write: readers get the old or the new value."""
        path = self._path(name)
        for part in reversed(Path(name).parents):
            (self.folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as temporary:
            temporary.write(f"{secret}\n".encode())
        Path(temporary.name).replace(path)

    def _path(self, name: str) -> Path:
        try:
            return self.folder / validate_object_key(name)
        except Fatal:
            raise NotFound(f"{name!r} is not a valid secret name") from None
