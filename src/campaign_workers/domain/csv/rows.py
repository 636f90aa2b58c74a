"""CSV files as rows, read and written as streams with one row in memory at a time.

Files may have a byte order mark, CRLF, and line breaks inside quotes. Anything that would shift
cells into another column is refused.

A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, TAB or CR as a formula. Such a cell
is guarded by a leading apostrophe unless it is a number or an E.164 phone number; reading removes
it. Cells that look guarded already are guarded again, so reading returns exactly what was written.
"""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import BinaryIO, Final

import attrs

from campaign_workers.domain.errors import BadInput

LIST_SEPARATOR: Final = "|"

NUMBER: Final = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
"""Plain decimal notation, which includes E.164 phone numbers (`+12125550162`)."""

RISKY: Final = r"^'*[=+\-@\t\r]"
"""The beginning of a formula, guarded or not."""

_FIRST = frozenset("'=+-@\t\r")
_RISKY = re.compile(RISKY)
_NUMBER = re.compile(NUMBER, re.ASCII)


def guard_cell(cell: str) -> str:
    """Return `cell` as it is written to a CSV file."""
    if cell[:1] not in _FIRST or not _RISKY.match(cell) or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"


def unguard_cell(cell: str) -> str:
    """Return `cell`, read from a CSV file, as it was before it was guarded."""
    return cell[1:] if cell.startswith("'") and _RISKY.match(cell) else cell


CELL_LIMIT: Final = 32_768
"""Default limit of the characters of a cell."""

ROW_LIMIT: Final = 1024 * 1024
"""Limit of the bytes of a row; without it, an open quote would swallow the rest of a file."""

_CHUNK: Final = 64 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_LINE_BREAK: Final = b"\n"
_UNDECODABLE: Final = re.compile("[\udc80-\udcff]")


@attrs.frozen(kw_only=True)
class Row:
    """One row: the number of the line on which it begins, and its cells by column."""

    line: int
    cells: dict[str, str] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Table:
    """The columns of a file in order, and its rows, which can be iterated once."""

    columns: tuple[str, ...]
    rows: Iterator[Row]


def read_rows(
    source: Iterable[bytes] | BinaryIO,
    *,
    file: str,
    required: Collection[str],
    delimiter: str = ",",
    limit: int = CELL_LIMIT,
) -> Iterator[Row]:
    """Read the rows of a file in UTF-8; a file with a header alone has none.

    Column names are stripped, cells are unguarded, and blank lines are skipped.

    Args:
        source: the bytes of the file.
        file: its name, for errors.
        required: columns that it must have.
        delimiter: the character between two cells.
        limit: how many characters a cell may have.

    Raises:
        BadInput: the file is empty, lacks a required column, has a column twice, a row of another
            length, text that is not UTF-8, a NUL, or a cell of more than `limit` characters.
    """
    yield from read_table(
        source, file=file, required=required, delimiter=delimiter, limit=limit
    ).rows


def read_table(
    source: Iterable[bytes] | BinaryIO,
    *,
    file: str,
    required: Collection[str],
    delimiter: str = ",",
    limit: int = CELL_LIMIT,
) -> Table:
    """Read the columns of a file, and its rows as `read_rows` does.

    Raises:
        BadInput: as `read_rows`; errors of the header at once, errors of a row when it is taken.
    """
    lines = _Lines(source, file)
    records = _records(lines, file, delimiter)
    columns = _header(next(records, None), lines, file, required)
    return Table(columns=columns, rows=_rows(records, lines, columns, file, limit))


def write_rows(
    columns: Sequence[str], rows: Iterable[Mapping[str, str]], *, delimiter: str = ","
) -> Iterator[bytes]:
    """Return a file in UTF-8 with LF, in chunks; cells are guarded.

    A cell that a row lacks is empty; cells of other columns are left out.
    """
    buffer = StringIO()
    plain = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    # `csv.writer` does not quote a carriage return, which readers take for the end of the row.
    quoted = csv.writer(buffer, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(map(guard_cell, columns))
    for row in rows:
        cells = [guard_cell(row.get(column, "")) for column in columns]
        (quoted if "\r" in "".join(cells) else plain).writerow(cells)
        if buffer.tell() >= _CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


class _Lines:
    """The lines of a file as text, with flags about the row that was read last.

    The flags are set once a line instead of once a cell, because most rows need no further check.
    """

    def __init__(self, source: Iterable[bytes] | BinaryIO, file: str) -> None:
        self._source, self._file = source, file
        self.number = 0
        self.row_starts = 1
        self.row_bytes = 0
        self.row_is_damaged = False
        self.row_may_be_guarded = False

    def next_row(self) -> None:
        """Record that the next line begins a row."""
        self.row_starts, self.row_bytes = self.number + 1, 0
        self.row_is_damaged = self.row_may_be_guarded = False

    def __iter__(self) -> Iterator[str]:
        for line in _split(self._source):
            self.number += 1
            self.row_bytes += len(line)
            if self.row_bytes > ROW_LIMIT:
                raise BadInput(
                    f"expected a row of at most {ROW_LIMIT} bytes, got a longer one",
                    file=self._file,
                    line=self.row_starts,
                    remedy="look for a quote that is not closed",
                )
            yield self._text(line.removeprefix(_BOM) if self.number == 1 else line)

    def _text(self, line: bytes) -> str:
        if b"\0" in line:
            self.row_is_damaged = True
        if b"'" in line:
            self.row_may_be_guarded = True
        try:
            return line.decode()
        except UnicodeDecodeError:
            # Continue to the end of the row, so that the error can name the column.
            self.row_is_damaged = True
            return line.decode(errors="surrogateescape")


def _chunks(source: Iterable[bytes] | BinaryIO) -> Iterator[bytes]:
    read = getattr(source, "read", None)
    return iter(source) if read is None else iter(lambda: read(_CHUNK), b"")


def _split(source: Iterable[bytes] | BinaryIO) -> Iterator[bytes]:
    rest = b""
    for chunk in _chunks(source):
        *lines, rest = (rest + chunk).split(_LINE_BREAK)
        yield from (line + _LINE_BREAK for line in lines)
        if len(rest) > ROW_LIMIT:
            break  # The line is too long; `_Lines` raises the error.
    if rest:
        yield rest


def _records(lines: _Lines, file: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.next_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            is_too_long = "limit" in str(error)
            raise BadInput(
                "expected shorter cells" if is_too_long else "expected well-formed CSV",
                file=file,
                line=lines.row_starts,
                remedy='close every quote, double the quotes inside ("") and end lines with LF',
            ) from None
        if cells:
            yield cells


def _header(
    cells: list[str] | None, lines: _Lines, file: str, required: Collection[str]
) -> tuple[str, ...]:
    if cells is None:
        raise BadInput(
            "expected a header, got an empty file", file=file, remedy="name the columns first"
        )
    if lines.row_is_damaged:
        raise BadInput(
            "expected UTF-8 without NUL characters, got other bytes",
            file=file,
            line=lines.row_starts,
        )
    columns = tuple(unguard_cell(cell).strip() for cell in cells)
    if missing := [column for column in required if column not in columns]:
        raise BadInput(
            "column is missing",
            file=file,
            line=lines.row_starts,
            field=", ".join(missing),
            remedy="add it, or correct its name in the first line",
        )
    if repeated := sorted({column for column in columns if columns.count(column) > 1}):
        raise BadInput(
            "this column occurs twice",
            file=file,
            line=lines.row_starts,
            field=", ".join(column or "(no name)" for column in repeated),
        )
    return columns


def _rows(
    records: Iterator[list[str]], lines: _Lines, columns: tuple[str, ...], file: str, limit: int
) -> Iterator[Row]:
    for record in records:
        cells, line = record, lines.row_starts
        if len(cells) != len(columns):
            raise BadInput(
                f"expected {len(columns)} cells, got {len(cells)}",
                file=file,
                line=line,
                remedy="quote cells that hold the delimiter",
            )
        too_long = lines.row_bytes > limit and max(map(len, cells)) > limit
        if lines.row_is_damaged or too_long:
            raise _cell_error(dict(zip(columns, cells, strict=True)), file, line, limit)
        if lines.row_may_be_guarded:
            cells = [unguard_cell(cell) if cell[:1] == "'" else cell for cell in cells]
        yield Row(line=line, cells=dict(zip(columns, cells, strict=True)))


def _cell_error(cells: Mapping[str, str], file: str, line: int, limit: int) -> BadInput:
    for column, cell in cells.items():
        if _UNDECODABLE.search(cell):
            return BadInput("expected UTF-8, got other bytes", file=file, line=line, field=column)
        if "\0" in cell:
            return BadInput(
                "expected text, got a NUL character", file=file, line=line, field=column
            )
    longest = max(cells, key=lambda column: len(cells[column]))
    problem = f"expected at most {limit} characters, got {len(cells[longest])}"
    return BadInput(problem, file=file, line=line, field=longest)
