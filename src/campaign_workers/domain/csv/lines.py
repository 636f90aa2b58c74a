"""The line of a file on which each row of a frame begins, found while the file is read once."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import attrs
import polars as pl

_CHUNK: Final = 1024 * 1024


@attrs.define
class LineCounter:
    """Counts the lines of a file while its bytes are read elsewhere."""

    _breaks: int = 0
    _ends_open: bool = False

    def wrap(self, source: BinaryIO) -> Iterator[bytes]:
        """Return the bytes of the file in chunks, counting its lines."""
        while chunk := source.read(_CHUNK):
            self._breaks += chunk.count(b"\n")
            self._ends_open = not chunk.endswith(b"\n")
            yield chunk

    @property
    def total(self) -> int:
        """The lines counted so far."""
        return self._breaks + self._ends_open

    def row_lines(self, rows: pl.DataFrame) -> pl.Series | None:
        """Return the line on which each row begins, after the whole file was read.

        Return None if the file has more lines than these rows and a header of one line need. Then
        there are blank lines somewhere, and only parsing the file again can locate them.

        Args:
            rows: all rows of the file, in String columns.
        """
        heights = rows.select(1 + pl.sum_horizontal(pl.all().str.count_matches("\n"))).to_series()
        if self.total != 1 + heights.sum():
            return None
        return (heights.cum_sum() - heights + 2).cast(pl.Int64)


def find_lines(row_lines: Iterable[int], rows: Iterable[int]) -> dict[int, int]:
    """Return the line of each of `rows`, given the line of every row in order."""
    wanted = set(rows)
    return {row: line for row, line in enumerate(row_lines) if row in wanted}
