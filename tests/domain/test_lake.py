"""Periods, manifests, and the source list of merged files."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.storage.lake import (
    Manifest,
    SourceFile,
    build_move_message,
    build_sources_note,
    day_of_merged_key,
    last_month,
    parse_move_message,
    parse_period,
    parse_sources_note,
    yesterday,
)

days = st.dates(date(1970, 1, 1), date(2200, 1, 1))
periods = days.map("{:%Y/%m/%d}".format) | days.map("{:%Y/%m}".format)
sources = st.builds(
    SourceFile,
    key=st.text(st.characters(codec="utf-8"), min_size=1),
    size=st.integers(0, 2**50),
    etag=st.text(st.characters(codec="ascii"), max_size=40),
    records=st.none() | st.integers(0, 2**40),
)


@given(st.builds(Manifest, period=periods, merged=sources, sources=st.lists(sources).map(tuple)))
def test_a_manifest_survives_a_round_trip(manifest: Manifest) -> None:
    """A manifest is the same after it is written and parsed."""
    assert Manifest.parse(manifest.to_bytes(), file="m.json") == manifest


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"\xff", b'{"period": "2026/09", "merged": {}, "sources": []}']
)
def test_an_invalid_manifest_is_named(data: bytes) -> None:
    """The error names the file."""
    with pytest.raises(BadInput, match=r"m\.json: expected the manifest"):
        Manifest.parse(data, file="m.json")


@given(st.lists(sources).map(tuple))
def test_a_merged_file_lists_its_sources(contained: tuple[SourceFile, ...]) -> None:
    """The header has every version of every source, without counts."""
    noted = parse_sources_note(build_sources_note(contained), file="merged")
    assert noted is not None
    assert [source.version for source in noted] == [source.version for source in contained]
    assert all(source.records is None for source in noted)


def test_a_file_of_another_tool_has_no_source_list() -> None:
    """A damaged source list is an error that names the file."""
    assert parse_sources_note({"other": "note"}, file="merged") is None
    for damaged in ("", "{", "[1]", '[{"key": "k"}]', "7"):
        with pytest.raises(BadInput, match="merged: its header's source list"):
            parse_sources_note({next(iter(build_sources_note(()))): damaged}, file="merged")


@given(periods)
def test_a_period_has_two_spellings(period: str) -> None:
    """A period may be given as such or as the folder of its registrations."""
    for text in (
        period,
        f" {period}/ ",
        f"avro/registration/{period}",
        f"avro/registration/{period}/",
    ):
        assert parse_period(text) == period
    assert parse_move_message(build_move_message(period)) == period


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026/9",
        "2026/13",
        "2026/02/30",
        "2026/09/31",
        "0000/01",
        "2026/09/01/merged",
        "2026/09/../10",
        "../2026/09",
        "2026-09-01",
        "avro/scoring/2026/09",
        "avro/archived/registration/2026/09",
    ],
)
def test_anything_but_a_period_is_rejected(text: str) -> None:
    """Only existing days and months, and only registrations, are merged or moved."""
    with pytest.raises(BadInput):
        parse_period(text)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "2026/09",
        '"2026/09"',
        "[]",
        '["2026/09", "2026/10"]',
        "[7]",
        '{"p": "2026/09"}',
        "[" * 9999,
    ],
)
def test_a_move_message_names_exactly_one_period(body: str) -> None:
    """Any other message is rejected before anything is moved."""
    with pytest.raises(BadInput, match="body: expected a JSON list of one prefix"):
        parse_move_message(body)


@pytest.mark.parametrize(
    ("today", "day", "month"),
    [
        (date(2026, 9, 2), "2026/09/01", "2026/08"),
        (date(2026, 1, 1), "2025/12/31", "2025/12"),
        (date(2028, 3, 1), "2028/02/29", "2028/02"),
        (date(2026, 3, 31), "2026/03/30", "2026/02"),
    ],
)
def test_schedules_are_about_the_past(today: date, day: str, month: str) -> None:
    """A daily merge is of yesterday, a monthly one of last month."""
    assert (yesterday(today), last_month(today)) == (day, month)


@pytest.mark.parametrize(
    ("key", "day"),
    [
        ("avro/registration/2026/09/01/merged", "2026/09/01"),
        ("avro/registration/2026/09/merged", None),
        ("avro/registration/2026/09/01/merged.avro", None),
        ("avro/archived/registration/2026/09/01/merged", None),
    ],
)
def test_merged_files_of_days_are_recognised_by_key(key: str, day: str | None) -> None:
    """A day's merged file is neither a batch nor a month's merged file."""
    assert day_of_merged_key(key) == day
