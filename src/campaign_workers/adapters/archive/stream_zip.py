"""The `ZipWriter` port on stream-zip."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from stat import S_IFREG
from typing import Final

from stream_zip import ZIP_64, stream_zip

from campaign_workers.domain.errors import BadInput

_MODE: Final = S_IFREG | 0o644
_MAX_NAME_BYTES: Final = 1024
_DRIVE: Final = re.compile(r"[A-Za-z]:")


class StreamZip:
    """Serves `ZipWriter` in constant memory; the same members give the same bytes."""

    def stream(
        self, members: Iterable[tuple[str, Iterable[bytes]]], *, modified: datetime
    ) -> Iterator[bytes]:
        """See `ZipWriter.stream`."""
        names: set[str] = set()
        return iter(
            stream_zip(
                (_validate_name(name, names), modified.astimezone(UTC), _MODE, ZIP_64, content)
                for name, content in members
            )
        )


def _validate_name(name: str, names: set[str]) -> str:
    segments = name.split("/")
    if (
        not {"", ".", ".."}.isdisjoint(segments)
        or _DRIVE.match(name)
        or "\\" in name
        or not name.isprintable()
    ):
        raise BadInput("could extract outside the archive's folder", field="name")
    if len(name.encode()) > _MAX_NAME_BYTES:
        raise BadInput(f"longer than {_MAX_NAME_BYTES} bytes", field="name")
    if name in names:
        raise BadInput("used by two members", field="name")
    names.add(name)
    return name
