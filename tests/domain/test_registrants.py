"""Registrants: the rows of wave files and the ids of their messages."""

from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.waves.files import (
    COLUMNS,
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    Registrant,
)
from campaign_workers.domain.waves.notifications import message_id
from campaign_workers.testing.machines.wave_world import registrant

_ids = st.from_regex(r"[A-Za-z0-9._-]{1,6}", fullmatch=True)


def test_the_columns_are_those_of_the_contract() -> None:
    """A wave file has the required columns and may have the optional ones."""
    assert REQUIRED_COLUMNS == (
        "doNotText",
        "email",
        "firstName",
        "lastName",
        "globalUserId",
        "mobileNumber",
    )
    assert {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS} == set(COLUMNS.values())


def test_a_row_is_read_by_its_columns() -> None:
    """Cells are trimmed, absent cells are empty, unknown columns are ignored."""
    row = {"globalUserId": " g1 ", "code": "C1\n", "seat": "12", "mobileNumber": " +1 "}
    read = Registrant.parse(row, 7)
    assert (read.line, read.global_user_id, read.code, read.mobile_number) == (7, "g1", "C1", "+1")
    assert (read.market_id, read.email, read.do_not_text) == ("", "", False)


@pytest.mark.parametrize("fan", ["", "  ", "\t"])
def test_a_row_without_a_fan_is_rejected(fan: str) -> None:
    """A row needs a globalUserId."""
    with pytest.raises(RejectRecord, match="globalUserId: missing"):
        Registrant.parse(registrant(1, globalUserId=fan), 1)


@given(wave=_ids, fan=_ids, market=st.just("") | _ids)
def test_a_message_id_is_the_uuid_of_wave_fan_and_market(wave: str, fan: str, market: str) -> None:
    """The id is a UUIDv5 in the URL namespace."""
    read = Registrant.parse({"globalUserId": fan, "marketId": market}, 1)
    name = f"campaign-workers:{wave}:{fan}:{market}"
    assert message_id(wave, read) == str(uuid5(NAMESPACE_URL, name))


@given(
    first=st.tuples(_ids, _ids, st.just("") | _ids),
    second=st.tuples(_ids, _ids, st.just("") | _ids),
    email=st.text(),
)
def test_message_ids_depend_on_wave_fan_and_market_only(
    first: tuple[str, str, str], second: tuple[str, str, str], email: str
) -> None:
    """Other cells of the row do not change the id."""
    ids = [
        message_id(
            wave, Registrant.parse({"globalUserId": fan, "marketId": market, "email": text}, line)
        )
        for line, (text, (wave, fan, market)) in enumerate((("", first), (email, second)))
    ]
    assert (ids[0] == ids[1]) == (first == second)


def test_a_registrant_shows_nothing_personal() -> None:
    """The repr has ids, and no code, name, number or address."""
    shown = repr(Registrant.parse(registrant(1), 1))
    assert "g1" in shown
    assert not [word for word in ("CODE", "555", "@", "Ada", "Brown", "http") if word in shown]
