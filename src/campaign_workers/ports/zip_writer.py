"""Port of the writer of zip archives."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol


class ZipWriter(Protocol):
    """Writes zip archives in constant memory."""

    def stream(
        self, members: Iterable[tuple[str, Iterable[bytes]]], *, modified: datetime
    ) -> Iterator[bytes]:
        """Yield the chunks of an archive; the same input gives the same bytes.

        Args:
            members: name and content of each file, in the order of the archive.
            modified: modification time of all files.

        Raises:
            BadInput: a name is absolute, has a `..` segment, or comes twice.
        """
        ...
