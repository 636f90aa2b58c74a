"""Files have the same cells as frames and as rows."""

import io
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from campaign_workers.domain.csv.frames import read_frames, write_frames
from campaign_workers.domain.csv.rows import CELL_LIMIT, ROW_LIMIT, read_table, write_rows
from campaign_workers.domain.errors import BadInput

FILE = "scored.txt"

pieces = st.sampled_from(
    ["a", "b,c", "\t", "\n", "\r\n", "\r", '"', '""', "'", "'=1", "=1", "é", " ", "x" * 9, "\0",
     '"q"', '"a\nb"', '"a\r\nb"', '"a""b"', "\ufeff", "\u2028", "+1", "-"]
)  # fmt: skip
bodies = st.lists(pieces, max_size=25).map("".join)
lines = st.lists(
    st.lists(st.sampled_from(["a", "", "é", '"q"', '"a\tb"', '"a\nb"', '"a""b"', "'=1", "5\" x"]),
             min_size=2, max_size=2).map("\t".join),
    max_size=8,
)  # fmt: skip
broken = st.sampled_from(["a", "a\tb\tc", "a\t\0", 'a\t"b', 'a\t"b" c', "\0"])
files = st.one_of(
    st.builds(
        lambda rows, bad, more: "\n".join(["n\tm", *rows, bad, *more, ""]), lines, broken, lines
    ),
    bodies.map(lambda body: f"n\tm\n{body}"),
    st.builds(
        lambda rows, end: end.join(["n\tm", *rows, ""]), lines, st.sampled_from(["\n", "\r\n"])
    ),
    bodies,
).map(str.encode)

Outcome = tuple[tuple[str, ...], list[dict[str, str]], str | None]


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def as_rows(data: bytes, delimiter: str) -> Outcome:
    columns: tuple[str, ...] = ()
    cells: list[dict[str, str]] = []
    try:
        table = read_table([data], file=FILE, required=(), delimiter=delimiter)
        columns = table.columns
        cells.extend(row.cells for row in table.rows)
    except BadInput as why:
        return columns, cells, str(why)
    return columns, cells, None


def as_frames(data: bytes, delimiter: str, size: int) -> Outcome:
    columns: tuple[str, ...] = ()
    cells: list[dict[str, str]] = []
    source = chunks(data, size) if size % 2 else io.BytesIO(data)
    try:
        table = read_frames(source, file=FILE, required=(), delimiter=delimiter, block=size)
        columns = table.columns
        for frame in table.frames:
            cells.extend(frame.to_dicts())
    except BadInput as why:
        return columns, cells, str(why)
    return columns, cells, None


@given(files, st.sampled_from(["\t", ","]), st.integers(1, 40))
@example(b"", "\t", 5)
@example(b"\xef\xbb\xbf\r\n\r\nn\tm\r\n1\t2", "\t", 3)
@example(b"n\tm\n1\t2\n\n\n3\t4\n\n", "\t", 100)
@example(b"n\tm\n1\t2\n3\n", "\t", 8)
@example(b"n\tm\n1\t2\n3\t4\t5\n", "\t", 8)
@example(b"n\tm\n1\t\xff\n", "\t", 100)
@example(b'n\tm\n5" x\t2\n"a\nb"\t4\n', "\t", 12)
@example(b'a"a\nb"', "\t", 1)
@example(b"n\tm\n\xef\xbb\xbf", ",", 1)
@example(b'n\tm\n\n""', ",", 4)
@example(b"n\n\n1\n''\n", "\t", 100)
@example(b'\n\xef\xbb\xbf\n\n"""\n"\r\n=\n', ",", 4)
def test_frames_hold_the_cells_of_the_rows(data: bytes, delimiter: str, size: int) -> None:
    """Both readers return the same cells or raise the same error for any file."""
    columns, rows, refusal = as_rows(data, delimiter)
    found_columns, found, found_refusal = as_frames(data, delimiter, size)
    assert (columns, refusal) == (found_columns, found_refusal)
    assert found == rows if refusal is None else found == rows[: len(found)]


def test_a_long_file_is_read_by_columns_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Well-formed files, quoted or not, are never parsed row by row."""
    monkeypatch.setattr("campaign_workers.domain.csv.frames.ROWS_PER_FRAME", -1)
    body = b"".join(b'%d\t"a ""quoted"" \n cell"\r\n%d\tplain\r\n' % (n, n) for n in range(500))
    table = read_frames([b"n\tm\r\n", body], file=FILE, required=("n",), delimiter="\t", block=999)
    frames = list(table.frames)
    assert len(frames) > 10
    assert sum(frame.height for frame in frames) == 1000


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"1\t2\n" * 30 + b"1\n", "line 32: expected 2 cells, got 1"),
        (b"1\t2\n" * 30 + b"1\t\xff\n", "line 32, m: expected UTF-8"),
        (b"1\t2\n" * 30 + b"1\t\0\n", "line 32, m: expected text, got a NUL"),
        (b"1\t2\n" * 30 + b'1\t"2\n' + b"1\t2\n" * 30, "line 32: expected well-formed CSV"),
        (b"1\t2\n\n" * 30 + b"1\t2\t3\n", "line 62: expected 2 cells, got 3"),
        (b"1\t" + b"x" * (CELL_LIMIT + 1) + b"\n", "line 2, m: expected at most 32768 characters"),
        (b"1\t" + b"x" * (ROW_LIMIT + 1), "line 2: expected a row of at most"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(body: bytes, problem: str) -> None:
    """The error names file, line and, if there is one, the column."""
    table = read_frames([b"n\tm\n", body], file=FILE, required=(), delimiter="\t", block=64)
    with pytest.raises(BadInput, match=problem):
        list(table.frames)


def test_missing_columns_are_refused_before_any_row() -> None:
    """The header is read when the file is opened."""
    with pytest.raises(BadInput, match="line 1, score: column is missing"):
        read_frames([b"globalUserId\n"], file=FILE, required=("score",))


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
tables = st.lists(st.fixed_dictionaries({"n": cells, "m": cells}), max_size=6)


@given(tables, st.sampled_from(["\t", ","]))
def test_what_is_written_is_read(table: list[dict[str, str]], delimiter: str) -> None:
    """Written frames are read unchanged, as frames and as rows."""
    frame = pl.DataFrame(table, schema={"n": pl.String, "m": pl.String})
    data = b"".join(write_frames(["n", "m"], [frame, frame], delimiter=delimiter))
    assert as_frames(data, delimiter, 64)[1] == table * 2
    assert as_rows(data, delimiter)[1] == table * 2


@given(tables)
def test_guarded_cells_are_written_alike(table: list[dict[str, str]]) -> None:
    """Rows and frames guard the same cells."""
    frame = pl.DataFrame(table, schema={"n": pl.String, "m": pl.String})
    by_rows = as_rows(b"".join(write_rows(["n", "m"], table)), ",")
    assert by_rows == as_rows(b"".join(write_frames(["n", "m"], [frame])), ",")


def test_lists_are_joined_and_numbers_written_plainly() -> None:
    """Nulls are empty cells; a number needs no guard."""
    frame = pl.DataFrame({"l": [["a", "b"], None], "x": [-0.5, None], "v": [1, 0]})
    assert b"".join(write_frames(["l", "x", "v"], [frame])) == b"l,x,v\na|b,-0.5,1\n,,0\n"
