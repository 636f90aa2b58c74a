"""Secrets in files that only their owner may read."""

from pathlib import Path

import attrs

from campaign_workers.domain.errors import NotFound
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

    def write(self, name: str, secret: str) -> None:
        """Keep a secret."""
        path = self.folder / checked_key(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(secret, encoding="utf-8")
