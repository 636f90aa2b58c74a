"""Archives that are written while they are sent."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol


class ZipWriter(Protocol):
    """Makes zip archives in constant memory."""

    def stream(
        self, members: Iterable[tuple[str, Iterable[bytes]]], *, modified: datetime
    ) -> Iterator[bytes]:
        """The archive of (name, content) members, in their order; same input, same bytes.

        Raises:
            BadInput: a name is absolute, climbs with `..`, or comes twice.
        """
        ...
