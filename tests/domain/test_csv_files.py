"""CSV files are parsed as rows, or refused with the place of the error."""

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.csv.rows import ROW_LIMIT, Row, read_rows, read_table, write_rows
from campaign_workers.domain.errors import BadInput

FILE = "wave.csv"

cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
) | st.lists(
    st.sampled_from(
        ["=", "+1", "-", "@", "'", '"', ",", "'=", "''-", "\t", "\n", "\r\n", "a", "é", " "]
    ),
    min_size=1,
    max_size=4,
).map("".join)
columns = st.lists(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5),
    min_size=1,
    max_size=4,
    unique=True,
)
tables = columns.flatmap(
    lambda names: st.tuples(
        st.just(names), st.lists(st.fixed_dictionaries(dict.fromkeys(names, cells)), max_size=6)
    )
)


def rows(data: bytes, *required: str, limit: int = 99) -> list[Row]:
    """Return the rows of a file."""
    return list(read_rows([data], file=FILE, required=required, limit=limit))


def refusal(data: bytes, *required: str, limit: int = 99) -> str:
    """Return the error of a file."""
    with pytest.raises(BadInput) as caught:
        rows(data, *required, limit=limit)
    return str(caught.value)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Return the file in chunks of `size` bytes."""
    return (data[start : start + size] for start in range(0, len(data), size))


@given(tables, st.integers(1, 9), st.sampled_from([",", "\t"]))
def test_what_is_written_is_read(
    table: tuple[list[str], list[dict[str, str]]], size: int, delimiter: str
) -> None:
    """Written cells are read unchanged, however the file is cut into chunks."""
    names, content = table
    data = b"".join(write_rows(names, content, delimiter=delimiter))
    read = read_rows(pieces(data, size), file=FILE, required=names, delimiter=delimiter)
    assert [row.cells for row in read] == content


@given(tables)
def test_rows_agree_with_the_standard_reader(
    table: tuple[list[str], list[dict[str, str]]],
) -> None:
    """Rows without guarded cells are those that the standard library reads."""
    names, content = table
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerows([names, *([row[name] for name in names] for row in content)])
    plain = [row for row in content if not any("'" in cell for cell in row.values())]
    found = rows(buffer.getvalue().encode(), *names)
    assert [row.cells for row in found if row.cells in plain] == plain


def test_files_as_people_upload_them() -> None:
    """A byte order mark, CRLF, blank lines, quotes, breaks in quotes and guards are handled."""
    data = b'\xef\xbb\xbf a ,b\r\n"x, ""y""","two\r\nlines"\r\n\r\n\'=1+1,\'-danger\r\n\'plain,last'
    assert rows(data, "b") == [
        Row(line=2, cells={"a": 'x, "y"', "b": "two\r\nlines"}),
        Row(line=5, cells={"a": "=1+1", "b": "-danger"}),
        Row(line=6, cells={"a": "'plain", "b": "last"}),
    ]


def test_a_file_object_is_read_in_pieces() -> None:
    """A source may be a binary file or an iterable of chunks."""
    found = read_rows(io.BytesIO(b"a\n1\n2"), file=FILE, required=["a"])
    assert [row.cells["a"] for row in found] == ["1", "2"]


def test_a_header_alone_gives_no_rows() -> None:
    """A file with a header alone has columns and no rows."""
    table = read_table([b"code,extra\n"], file=FILE, required=["code"])
    assert (table.columns, list(table.rows)) == (("code", "extra"), [])


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", "wave.csv: expected a header"),
        (b"\xef\xbb\xbf\n\n", "wave.csv: expected a header"),
        (b"a,b\n1,2\n", "wave.csv, line 1, code, email: column is missing"),
        (b"code,a,email,a\n", "wave.csv, line 1, a: this column occurs twice"),
        (b"code,email,,\n", "wave.csv, line 1, (no name): this column occurs twice"),
        (b"code,email\n1,2\n\n1\n", "wave.csv, line 4: expected 2 cells, got 1"),
        (b"code,email\n1,2,3\n", "wave.csv, line 2: expected 2 cells, got 3"),
        (b'code,email\n"1\n2",\xff\n', "wave.csv, line 2, email: expected UTF-8"),
        ("code,email\n1,2".encode("utf-16"), "wave.csv, line 1: expected UTF-8"),
        (b"code,email\n1,2\n\x00,2\n", "wave.csv, line 3, code: expected text, got a NUL"),
        (b"code,email\n1," + b"x" * 11, "wave.csv, line 2, email: expected at most 10 characters"),
        (b"code,email\n1," + b"x" * 140_000, "wave.csv, line 2: expected shorter cells"),
        (b'code,email\n1,"2" 3\n', "wave.csv, line 2: expected well-formed CSV"),
        (b'code,email\n1,"2\n\n', "wave.csv, line 2: expected well-formed CSV"),
        (b"code,email\n1,2\r3,4\n", "wave.csv, line 2: expected well-formed CSV"),
    ],
)
def test_bad_files_are_refused_with_their_place(data: bytes, place: str) -> None:
    """Each fault names the file, the line where the row begins and the columns."""
    assert refusal(data, "code", "email", limit=10).startswith(place)


def test_a_refusal_names_every_missing_column_and_no_value() -> None:
    """If the header is missing, the error quotes no personal data of the first row."""
    message = refusal(b"SECRET1,fan@mail.example\n", "code", "email")
    assert "code, email" in message
    assert "SECRET1" not in message
    assert "mail.example" not in message


def test_a_row_without_end_stops_the_reading() -> None:
    """Neither an endless line nor endlessly many cells of a row exhaust the memory."""
    endless_line = (b"x," * 1000 for _ in range(10**9))
    endless_row = (b'"\n",' * 1000 for _ in range(10**9))
    for source in (endless_line, endless_row):
        with pytest.raises(BadInput, match=f"line 1: expected a row of at most {ROW_LIMIT} bytes"):
            next(read_rows(source, file=FILE, required=[]))


def test_large_files_are_written_in_chunks() -> None:
    """Chunks have a bounded size, and together they are the file."""
    content = ({"a": "x" * 100, "other": "left out"} for _ in range(5000))
    chunks = list(write_rows(["a"], content))
    assert len(chunks) > 5
    assert b"".join(chunks) == b"a\n" + (b"x" * 100 + b"\n") * 5000


def test_cells_that_a_spreadsheet_would_run_are_guarded() -> None:
    """A formula gets an apostrophe; numbers and phone numbers do not."""
    content = [{"a": "=1+1", "b": "+12125550162", "c": "-5"}]
    assert b"".join(write_rows("abc", content)) == b"a,b,c\n'=1+1,+12125550162,-5\n"
