"""Periods, manifests, and what a merged file says of itself."""

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
def test_a_manifest_is_read_as_it_was_written(manifest: Manifest) -> None:
    """Nothing of a manifest is lost in its file."""
    assert Manifest.parse(manifest.to_bytes(), file="m.json") == manifest


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"\xff", b'{"period": "2026/09", "merged": {}, "sources": []}']
)
def test_what_is_no_manifest_is_named(data: bytes) -> None:
    """A damaged manifest is an error that names its file, and nothing is moved by it."""
    with pytest.raises(BadInput, match=r"m\.json: expected the manifest"):
        Manifest.parse(data, file="m.json")


@given(st.lists(sources).map(tuple))
def test_a_merged_file_says_what_it_contains(contained: tuple[SourceFile, ...]) -> None:
    """The note has every version of every file, without the counts that come later."""
    noted = parse_sources_note(build_sources_note(contained), file="merged")
    assert noted is not None
    assert [source.version for source in noted] == [source.version for source in contained]
    assert all(source.records is None for source in noted)


def test_a_foreign_file_says_nothing() -> None:
    """Without the note nothing is known; with a damaged one the file is named."""
    assert parse_sources_note({"other": "note"}, file="merged") is None
    for damaged in ("", "{", "[1]", '[{"key": "k"}]', "7"):
        with pytest.raises(BadInput, match="merged: its header's source list"):
            parse_sources_note({next(iter(build_sources_note(()))): damaged}, file="merged")


@given(periods)
def test_a_period_is_named_in_several_ways(period: str) -> None:
    """A period may be written as such, or as the folder of its registrations."""
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
def test_what_is_no_period_is_refused(text: str) -> None:
    """Only days and months of the calendar, and only registrations, are merged or moved."""
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
    """Any other message is refused before anything is touched."""
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
    """A daily merge is about yesterday, a monthly one about last month."""
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
def test_merged_files_of_days_are_known_by_their_key(key: str, day: str | None) -> None:
    """The merged file of a day is no batch, and the merged file of a month no day's."""
    assert day_of_merged_key(key) == day
