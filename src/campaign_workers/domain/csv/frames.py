"""The conventions of `cells`, for whole Polars columns.

CSV files as frames: the columnar twin of `csv_files`, for files of millions of rows.

Whole rows, some megabytes at a time, go through Polars' parser. From the first block on that this
parser might read in another way, or that is wrong, the file is left to `csv_files`, which reads it
or says where it is wrong; both give the same cells.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from io import BytesIO
from itertools import chain, islice
from typing import BinaryIO, Final

import attrs
import polars as pl
from polars.exceptions import PolarsError

from campaign_workers.domain.csv.rows import (
    CELL_LIMIT,
    LIST_SEPARATOR,
    NUMBER,
    RISKY,
    ROW_LIMIT,
    Row,
    Table,
    guard_cell,
    read_table,
)
from campaign_workers.domain.errors import BadInput

WHITESPACE: Final = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""What Python's `str.strip` takes off; Polars by itself leaves four separators of it."""


def strip(column: pl.Expr) -> pl.Expr:
    """A text column as `str.strip` leaves each text."""
    return column.str.strip_chars(WHITESPACE)


def without_negative_zero(number: pl.Expr) -> pl.Expr:
    """A column of doubles whose minus zeros are zeros: equal numbers are then equal bytes too."""
    # Adding zero would say it shorter, but Polars leaves such a sum out.
    return pl.when(number == 0).then(0.0).otherwise(number)


def guard_cells(column: pl.Expr) -> pl.Expr:
    """A text column as it is written into a CSV file (see `cells.guard`)."""
    risky = column.str.contains(RISKY) & ~column.str.contains(f"^(?-u:{NUMBER})$")
    return pl.when(risky).then(pl.concat_str(pl.lit("'"), column)).otherwise(column)


def unguard_cells(column: pl.Expr) -> pl.Expr:
    """A text column as it was meant, read from a CSV file (see `cells.unguard`)."""
    held = column.str.starts_with("'") & column.str.contains(RISKY)
    return pl.when(held).then(column.str.slice(1)).otherwise(column)


def join_lists(column: pl.Expr) -> pl.Expr:
    """A list column as one cell each."""
    return column.list.join(LIST_SEPARATOR)


def split_lists(column: pl.Expr) -> pl.Expr:
    """The lists in a text column: trimmed, without empty items; null reads as the empty list."""
    items = column.fill_null("").str.split(LIST_SEPARATOR).list.eval(strip(pl.element()))
    return items.list.eval(pl.element().filter(pl.element() != ""))


BLOCK_BYTES: Final = 8 * 1024 * 1024
"""Bytes that are parsed at a time; no row straddles two blocks."""

ROWS_PER_FRAME: Final = 10_000
"""Rows of a frame that is read row by row."""

_BOM: Final = b"\xef\xbb\xbf"
_NUL: Final = "\0"
"""Fills a column of its own at the end of each row; no cell may hold it."""


@attrs.frozen(kw_only=True)
class FrameTable:
    """A file whose header is read: its columns in order, and its rows as frames, once.

    The frames hold texts alone, an empty cell as the empty text.
    """

    columns: tuple[str, ...]
    frames: Iterator[pl.DataFrame]


def read_frames(
    source: Iterable[bytes] | BinaryIO,
    *,
    file: str,
    required: Collection[str],
    delimiter: str = ",",
    block: int = BLOCK_BYTES,
) -> FrameTable:
    """The rows of a file in UTF-8, as frames of about `block` bytes; no rows, no frames.

    Raises:
        BadInput: as `csv_files.read_table`; what is wrong with a row when its frame is taken.
    """
    blocks = _blocks(source, block)
    header, first = _header(blocks)
    rest = chain([first], blocks)
    if not _is_well_quoted(header, delimiter):
        # Where the header ends is for the other reader to say.
        everything = chain([header], rest)
        rows = read_table(everything, file=file, required=required, delimiter=delimiter)
        return FrameTable(columns=rows.columns, frames=_framed(rows, 0))
    table = read_table([header], file=file, required=required, delimiter=delimiter)
    reader = _Reader(header, table.columns, file, delimiter)
    return FrameTable(columns=table.columns, frames=reader.frames(rest))


def write_frames(
    columns: Sequence[str], frames: Iterable[pl.DataFrame], *, delimiter: str = ","
) -> Iterator[bytes]:
    """A file in UTF-8 with LF, a chunk a frame; texts are guarded, lists joined, nulls empty."""
    names = pl.DataFrame(schema=[guard_cell(column) for column in columns])
    yield names.write_csv(separator=delimiter).encode()
    for frame in frames:
        buffer = BytesIO()
        cells = frame.select(_cell(frame[column]) for column in columns)
        cells.write_csv(buffer, separator=delimiter, include_header=False)
        yield buffer.getvalue()


def _cell(column: pl.Series) -> pl.Series:
    if column.dtype == pl.List(pl.String):
        column = column.to_frame().select(join_lists(pl.col(column.name))).to_series()
    if column.dtype != pl.String:
        return column
    if column.str.contains(RISKY).any():
        cells = guard_cells(pl.col(column.name)).alias(column.name)
        column = column.to_frame().select(cells).to_series()
    # Polars writes an empty text as two quotes and a null as nothing.
    return column.set(column == "", None)


def _blocks(source: Iterable[bytes] | BinaryIO, size: int) -> Iterator[bytes]:
    """The file cut after rows, about `size` bytes each; one without an end of row stays whole."""
    rest = b""
    for chunk in _chunks(source, size):
        rest += chunk
        if len(rest) >= size:
            end = _end_of_rows(rest)
            if end or len(rest) > size + ROW_LIMIT:
                yield rest[: end or None]
                rest = rest[end:] if end else b""
    if rest:
        yield rest


def _chunks(source: Iterable[bytes] | BinaryIO, size: int) -> Iterator[bytes]:
    read = getattr(source, "read", None)
    if read is not None:
        return iter(lambda: read(size), b"")
    return (chunk[at : at + size] for chunk in source for at in range(0, len(chunk), size))


def _end_of_rows(data: bytes) -> int:
    """Where the last whole row ends: after a line break that is not inside quotes; 0 if none."""
    end = data.rfind(b"\n") + 1
    quotes = data.count(b'"', 0, end)
    while quotes % 2:
        shorter = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', shorter, end)
        end = shorter
    return end


def _header(blocks: Iterator[bytes]) -> tuple[bytes, bytes]:
    """The first row that is not blank, with what stands before it, and some of what follows."""
    data, end = b"", 0
    for block in blocks:
        data += block
        end = _end_of_header(data)
        if end < len(data) or end > ROW_LIMIT:
            break
    return data[:end], data[end:]


def _end_of_header(data: bytes) -> int:
    end, quotes, row = 0, 0, b""
    while end < len(data) and (quotes % 2 or not row.strip(b"\r\n")):
        start, end = end, data.find(b"\n", end) + 1 or len(data)
        row = data[start:end] if start else data[:end].removeprefix(_BOM)
        quotes += row.count(b'"')
    return end


@attrs.frozen
class _Reader:
    header: bytes
    columns: tuple[str, ...]
    file: str
    delimiter: str

    def frames(self, blocks: Iterator[bytes]) -> Iterator[pl.DataFrame]:
        line = self.header.count(b"\n")
        for block in blocks:
            frame = self._parsed(block)
            if frame is None:
                yield from self._row_by_row(chain([block], blocks), line)
                return
            line += block.count(b"\n")
            if frame.height:
                yield frame

    def _parsed(self, block: bytes) -> pl.DataFrame | None:
        """The cells of whole rows; None if `csv_files` has to be asked."""
        is_quoted = b'"' in block
        if b"\0" in block or not _is_well_quoted(block, self.delimiter):
            return None
        if is_quoted and len(self.columns) == 1:
            # A blank line and an empty cell would look alike.
            return None
        data = block.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
        if not is_quoted:
            while b"\n\n" in data:
                data = data.replace(b"\n\n", b"\n")
            data = data.removeprefix(b"\n")
        if b"\r" in data or data.startswith(_BOM):
            return None
        return self._cells(data, f"{self.delimiter}{_NUL}\n", is_quoted=is_quoted)

    def _cells(self, data: bytes, end: str, *, is_quoted: bool) -> pl.DataFrame | None:
        names = [*self.columns, _NUL]
        try:
            frame = pl.read_csv(
                data.replace(b"\n", end.encode()),
                separator=self.delimiter,
                has_header=False,
                schema=dict.fromkeys(names, pl.String),
                quote_char='"' if is_quoted else None,
                empty_string_is_null=False,
                raise_if_empty=False,
            )
        except PolarsError:
            return None
        if not (frame[_NUL] == _NUL).all() or _longest(frame) > CELL_LIMIT:
            return None
        frame = frame.drop(_NUL)
        if frame.height < data.count(b"\n"):  # Some cell has a line break.
            frame = frame.select(pl.all().str.replace_all(end, "\n", literal=True))
        return frame.select(unguard_cells(pl.all())) if b"'" in data else frame

    def _row_by_row(self, blocks: Iterable[bytes], line: int) -> Iterator[pl.DataFrame]:
        rows = read_table(
            chain([self.header], blocks), file=self.file, required=(), delimiter=self.delimiter
        )
        return _framed(rows, line - self.header.count(b"\n"))


def _is_well_quoted(data: bytes, delimiter: str) -> bool:
    """Whether every quote begins a cell, ends it, or is doubled, and none holds a CR."""
    end = re.escape(delimiter.encode())
    # Possessive, because one reading is all there is: looking back would make it many times slower.
    cell = rb'(?<![^%b\n])"[^"\r]*+(?:""[^"\r]*+)*+"(?![^%b\r\n])' % (end, end)
    return b'"' not in data or bool(re.fullmatch(rb'[^"]*+(?:%b[^"]*+)*+' % cell, data))


def _longest(frame: pl.DataFrame) -> int:
    """Bytes of the longest row."""
    longest = frame.select(pl.sum_horizontal(pl.all().str.len_bytes().cast(pl.Int64))).max().item()
    return int(longest or 0)


def _framed(table: Table, lines_before: int) -> Iterator[pl.DataFrame]:
    """The rows as frames; errors count the lines that the table's reader has not seen."""
    while some := _taken(table.rows, lines_before):
        cells = [list(row.cells.values()) for row in some]
        yield pl.DataFrame(cells, schema=dict.fromkeys(table.columns, pl.String), orient="row")


def _taken(rows: Iterator[Row], lines_before: int) -> list[Row]:
    try:
        return list(islice(rows, ROWS_PER_FRAME))
    except BadInput as why:
        line = None if why.line is None else why.line + lines_before
        raise BadInput(
            why.problem, file=why.file, line=line, field=why.field, remedy=why.remedy
        ) from None
