"""On which line of a file each row of a frame begins, found without reading the file again."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import attrs
import polars as pl

_CHUNK: Final = 1024 * 1024


@attrs.define
class LineCounter:
    """Passes a file's bytes through and counts its lines."""

    _breaks: int = 0
    _ends_open: bool = False

    def of(self, source: BinaryIO) -> Iterator[bytes]:
        """The bytes of the file, in chunks."""
        while chunk := source.read(_CHUNK):
            self._breaks += chunk.count(b"\n")
            self._ends_open = not chunk.endswith(b"\n")
            yield chunk

    @property
    def total(self) -> int:
        """Lines of what passed so far."""
        return self._breaks + self._ends_open

    def starts(self, rows: pl.DataFrame) -> pl.Series | None:
        """The line on which each row begins, once the whole file has passed.

        None if the file has more lines than a header of one line and these rows: blank lines may
        be anywhere, and only a reader that counts as it goes can tell.

        Args:
            rows: all rows of the file, texts alone.
        """
        heights = rows.select(1 + pl.sum_horizontal(pl.all().str.count_matches("\n"))).to_series()
        if self.total != 1 + heights.sum():
            return None
        return (heights.cum_sum() - heights + 2).cast(pl.Int64)


def find_lines(starts: Iterable[int], wanted: Iterable[int]) -> dict[int, int]:
    """The lines of the `wanted` rows, by row; `starts` tells the line of every row in turn."""
    rows = set(wanted)
    return {row: line for row, line in enumerate(starts) if row in rows}
