"""CSV files as Polars frames, for files of millions of rows.

Polars parses whole rows, some megabytes at a time. From the first block that it might parse
differently from `rows`, or that is malformed, the rest of the file is parsed by `rows`, which also
names the place of an error. Both return the same cells.
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
"""The characters that `str.strip` removes; Polars' default lacks four separators of them."""


def strip(column: pl.Expr) -> pl.Expr:
    """Return a text column stripped as `str.strip` does."""
    return column.str.strip_chars(WHITESPACE)


def without_negative_zero(number: pl.Expr) -> pl.Expr:
    """Return a column of doubles with 0.0 for -0.0, so that equal numbers have equal bytes."""
    # `number + 0.0` would be shorter, but Polars optimises it away.
    return pl.when(number == 0).then(0.0).otherwise(number)


def guard_cells(column: pl.Expr) -> pl.Expr:
    """Return a text column as it is written to a CSV file (see `rows.guard_cell`)."""
    risky = column.str.contains(RISKY) & ~column.str.contains(f"^(?-u:{NUMBER})$")
    return pl.when(risky).then(pl.concat_str(pl.lit("'"), column)).otherwise(column)


def unguard_cells(column: pl.Expr) -> pl.Expr:
    """Return a text column as it was before it was guarded (see `rows.unguard_cell`)."""
    is_guarded = column.str.starts_with("'") & column.str.contains(RISKY)
    return pl.when(is_guarded).then(column.str.slice(1)).otherwise(column)


def join_lists(column: pl.Expr) -> pl.Expr:
    """Return a list column with each list as one cell."""
    return column.list.join(LIST_SEPARATOR)


def split_lists(column: pl.Expr) -> pl.Expr:
    """Return a text column as lists, stripped and without empty items; null is an empty list."""
    items = column.fill_null("").str.split(LIST_SEPARATOR).list.eval(strip(pl.element()))
    return items.list.eval(pl.element().filter(pl.element() != ""))


BLOCK_BYTES: Final = 8 * 1024 * 1024
"""Bytes that are parsed at a time; a block ends with the end of a row."""

ROWS_PER_FRAME: Final = 10_000
"""Rows of a frame where the file is parsed row by row."""

_BOM: Final = b"\xef\xbb\xbf"
_NUL: Final = "\0"
"""Fills an extra column at the end of each row; cells cannot contain it."""


@attrs.frozen(kw_only=True)
class FrameTable:
    """The columns of a file in order, and its rows as frames, which can be iterated once.

    All columns of the frames are String; an empty cell is the empty string.
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
    """Read a file in UTF-8 as frames of about `block` bytes; a file without rows has no frames.

    Args:
        source: the bytes of the file.
        file: its name, for errors.
        required: columns that it must have.
        delimiter: the character between two cells.
        block: how many bytes are parsed at a time.

    Raises:
        BadInput: as `rows.read_table`; errors of a row are raised when its frame is taken.
    """
    blocks = _blocks(source, block)
    header, first = _header(blocks)
    rest = chain([first], blocks)
    if not _is_well_quoted(header, delimiter):
        # The header is ambiguous; let `rows` parse the whole file.
        whole = chain([header], rest)
        rows = read_table(whole, file=file, required=required, delimiter=delimiter)
        return FrameTable(columns=rows.columns, frames=_to_frames(rows, 0))
    table = read_table([header], file=file, required=required, delimiter=delimiter)
    parser = _BlockParser(header, table.columns, file, delimiter)
    return FrameTable(columns=table.columns, frames=parser.frames(rest))


def write_frames(
    columns: Sequence[str], frames: Iterable[pl.DataFrame], *, delimiter: str = ","
) -> Iterator[bytes]:
    """Return a file in UTF-8 with LF, a chunk for each frame.

    Texts are guarded, lists are joined, and nulls are empty cells.
    """
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
    """Cut the file after rows into blocks of about `size` bytes; a longer row stays whole."""
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
    """Return the end of the last complete row: a line break outside quotes; 0 if there is none."""
    end = data.rfind(b"\n") + 1
    quotes = data.count(b'"', 0, end)
    while quotes % 2:
        shorter = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', shorter, end)
        end = shorter
    return end


def _header(blocks: Iterator[bytes]) -> tuple[bytes, bytes]:
    """Return the first row that is not blank, with all before it, and some bytes after it."""
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
class _BlockParser:
    header: bytes
    columns: tuple[str, ...]
    file: str
    delimiter: str

    def frames(self, blocks: Iterator[bytes]) -> Iterator[pl.DataFrame]:
        line = self.header.count(b"\n")
        for block in blocks:
            frame = self._parse(block)
            if frame is None:
                yield from self._parse_rows(chain([block], blocks), line)
                return
            line += block.count(b"\n")
            if frame.height:
                yield frame

    def _parse(self, block: bytes) -> pl.DataFrame | None:
        """Return the cells of whole rows, or None if `rows` has to parse them."""
        is_quoted = b'"' in block
        if b"\0" in block or not _is_well_quoted(block, self.delimiter):
            return None
        if is_quoted and len(self.columns) == 1:
            # A blank line and an empty cell look alike.
            return None
        data = block.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
        if not is_quoted:
            while b"\n\n" in data:
                data = data.replace(b"\n\n", b"\n")
            data = data.removeprefix(b"\n")
        if b"\r" in data or data.startswith(_BOM):
            return None
        return self._parse_cells(data, f"{self.delimiter}{_NUL}\n", is_quoted=is_quoted)

    def _parse_cells(self, data: bytes, end: str, *, is_quoted: bool) -> pl.DataFrame | None:
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
        if frame.height < data.count(b"\n"):  # A cell has a line break.
            frame = frame.select(pl.all().str.replace_all(end, "\n", literal=True))
        return frame.select(unguard_cells(pl.all())) if b"'" in data else frame

    def _parse_rows(self, blocks: Iterable[bytes], line: int) -> Iterator[pl.DataFrame]:
        rows = read_table(
            chain([self.header], blocks), file=self.file, required=(), delimiter=self.delimiter
        )
        return _to_frames(rows, line - self.header.count(b"\n"))


def _is_well_quoted(data: bytes, delimiter: str) -> bool:
    """Return whether every quote begins or ends a cell or is doubled, and no cell has a CR."""
    end = re.escape(delimiter.encode())
    # Possessive quantifiers: no alternative match exists, and backtracking is slow.
    cell = rb'(?<![^%b\n])"[^"\r]*+(?:""[^"\r]*+)*+"(?![^%b\r\n])' % (end, end)
    return b'"' not in data or bool(re.fullmatch(rb'[^"]*+(?:%b[^"]*+)*+' % cell, data))


def _longest(frame: pl.DataFrame) -> int:
    """Return the number of bytes of the longest row."""
    longest = frame.select(pl.sum_horizontal(pl.all().str.len_bytes().cast(pl.Int64))).max().item()
    return int(longest or 0)


def _to_frames(table: Table, lines_before: int) -> Iterator[pl.DataFrame]:
    """Return rows as frames; `lines_before` is added to the line numbers of errors."""
    while some := _take_rows(table.rows, lines_before):
        cells = [list(row.cells.values()) for row in some]
        yield pl.DataFrame(cells, schema=dict.fromkeys(table.columns, pl.String), orient="row")


def _take_rows(rows: Iterator[Row], lines_before: int) -> list[Row]:
    try:
        return list(islice(rows, ROWS_PER_FRAME))
    except BadInput as error:
        line = None if error.line is None else error.line + lines_before
        raise BadInput(
            error.problem, file=error.file, line=line, field=error.field, remedy=error.remedy
        ) from None
