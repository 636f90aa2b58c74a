"""Secrets in files that only their owner may read."""

from pathlib import Path
from tempfile import NamedTemporaryFile

import attrs

from campaign_workers.domain.errors import NotFound, RetryLater
from campaign_workers.domain.limits import checked_key


@attrs.frozen
class FileSecrets:
    """A file a secret, under `folder`."""

    folder: Path

    def read(self, name: str) -> str:
        """See `Secrets.read`."""
        try:
            return (self.folder / checked_key(name)).read_text(encoding="utf-8").strip()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotFound(f"no secret {name}") from None
        except OSError as error:
            raise RetryLater(f"secret {name}: {error.strerror}") from None

    def write(self, name: str, secret: str) -> None:
        """Keep a secret; a reader finds the old one or the whole new one."""
        path = self.folder / checked_key(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as unfinished:
            unfinished.write(secret.encode())
        Path(unfinished.name).replace(path)
