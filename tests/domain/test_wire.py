"""Column names on the wire and in frames."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.records.types import RECORD_TYPES
from campaign_workers.domain.wire import from_wire, swap_spelling, to_camel, to_snake, to_wire

names = st.text(st.sampled_from("aBc_1é ")) | st.sampled_from(["memberId", "member_id", "rank"])
headers = st.lists(names, unique=True, min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("wire", "ours"),
    [
        ("globalUserId", "global_user_id"),
        ("presaleDateTime", "presale_date_time"),
        ("score", "score"),
        ("optInSms", "opt_in_sms"),
    ],
)
def test_a_name_has_two_spellings(wire: str, ours: str) -> None:
    """`globalUserId` on the wire is `global_user_id` in frames."""
    assert (ours, wire) == (to_snake(wire), to_camel(ours))


def test_every_field_name_survives_the_way_there_and_back() -> None:
    """The names of all record fields can be converted in both directions."""
    fields = {field.name for kind in RECORD_TYPES.values() for field in kind.fields}
    assert fields == {to_camel(to_snake(name)) for name in fields}


@given(names)
def test_changing_the_spelling_twice_changes_nothing(name: str) -> None:
    """`swap_spelling` is its own inverse, for names of any shape."""
    assert name == swap_spelling(swap_spelling(name))


@given(headers)
def test_columns_of_any_name_come_back_as_they_were(header: list[str]) -> None:
    """Any column names survive both conversions, even both spellings at once."""
    frame = pl.DataFrame({name: [name] for name in header})
    ours = from_wire(frame)
    assert header == to_wire(ours).columns
    assert header == [swap_spelling(name) for name in ours.columns]


def test_lazy_frames_are_renamed_too() -> None:
    """Lazy frames are renamed too."""
    lazy = pl.LazyFrame({"memberId": ["m"], "Favourite Band": ["x"]})
    assert from_wire(lazy).collect().columns == ["member_id", "Favourite Band"]
