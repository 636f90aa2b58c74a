"""Records from columns are the same as records written one at a time."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.records.columns import canonical_json_rows, record_lines
from campaign_workers.domain.records.record import canonical_json, dedupe_key, parse_record

SCHEMA: dict[str, Any] = {
    "email": pl.String,
    "rank": pl.Int64,
    "score": pl.Float64,
    "optInSms": pl.Boolean,
    "tags": pl.List(pl.String),
}
texts = st.text(st.characters(codec="utf-8"), max_size=6) | st.text(
    st.sampled_from('"\\\b\t\n\f\r\x00\x1f\x7f\u2028é🎤'), max_size=6
)
doubles = st.floats(allow_nan=False, allow_infinity=False) | st.floats(0, 1)
rows = st.fixed_dictionaries(
    {
        "email": st.none() | texts,
        "rank": st.none() | st.integers(-(2**53) + 1, 2**53 - 1),
        "score": st.none() | doubles,
        "optInSms": st.none() | st.booleans(),
        "tags": st.none() | st.lists(texts, max_size=3),
    }
)


@given(st.lists(rows, max_size=8))
def test_columns_give_the_canonical_json_of_each_row(content: list[dict[str, Any]]) -> None:
    """The bytes of every row are those of RFC 8785."""
    table = pl.DataFrame(content, schema=SCHEMA)
    expected = [
        canonical_json({name: value for name, value in row.items() if value is not None}).decode()
        for row in content
    ]
    assert canonical_json_rows(table).to_list() == expected


@pytest.mark.parametrize(
    "number", [0.0, 1.0, 0.5, 1e-4, 9.9e-5, 1e-6, 1e-7, 5e-324, 1e15, 1e16, 1e21, -0.1, 1 / 3]
)
def test_doubles_are_printed_as_ecmascript_prints_them(number: float) -> None:
    """Small, large and whole doubles are printed as by every other implementation."""
    table = pl.DataFrame({"score": [number]})
    assert canonical_json_rows(table).to_list() == [canonical_json({"score": number}).decode()]


def test_lines_are_records_with_their_keys() -> None:
    """A consumer parses each line as a record and computes the same dedupe key."""
    table = pl.DataFrame(
        {
            "campaignId": ["tour"] * 2,
            "globalUserId": ["g1", None],
            "email": [None, 'a"b@mail.example'],
            "score": [0.25, 1.0],
            "rank": [3, 1],
            "verdict": [1, 1],
            "tags": [["a"], []],
            "marketIds": [[], []],
            "source": ["fanlist"] * 2,
        },
        schema_overrides={"marketIds": pl.List(pl.String), "tags": pl.List(pl.String)},
    )
    created = datetime(2026, 9, 1, 12, 0, 0, 123000, tzinfo=UTC)
    lines = record_lines(table, "scoring", created)
    for row, line, key in zip(table.to_dicts(), *lines, strict=True):
        record = parse_record(line.encode())
        content = {name: value for name, value in row.items() if value is not None}
        assert record.created == created
        assert record.dedupe_key == key == dedupe_key({"type": "scoring", **content})
        assert {name: record.fields[name] for name in content} == content
        assert record.type == "scoring"


def test_no_rows_give_no_lines() -> None:
    """An empty table gives no lines."""
    nothing = record_lines(pl.DataFrame(schema=SCHEMA), "scoring", datetime(2026, 9, 1, tzinfo=UTC))
    assert nothing.is_empty()
