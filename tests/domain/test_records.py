"""Reading records: what is right is read whole, what is wrong is named and turned away."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.record import (
    UnknownType,
    parse_record,
    read_record,
)
from campaign_workers.domain.records.types import (
    RECORD_TYPES,
    SELECTION_TYPES,
    FieldKind,
    RecordType,
    iso_utc,
    parse_utc,
)
from tests.record_strategies import moments, wire_records

CREATED = "2026-09-01T00:00:00Z"
BAN = {"type": "codeBan", "campaignId": "c1", "code": "ABC", "created": CREATED}
SCORING = {
    "type": "scoring",
    "campaignId": "c1",
    "globalUserId": "g1",
    "verdict": 1,
    "tags": [],
    "marketIds": [],
    "source": "scored",
    "created": CREATED,
}
REGISTRATION = {
    "type": "registration",
    "campaignId": "c1",
    "userId": "u1",
    "email": "a@b.example",
    "marketIds": ["nyc"],
    "optInEmail": False,
    "optInSms": True,
    "created": CREATED,
}
WRONG: dict[FieldKind, list[Any]] = {
    FieldKind.TEXT: [1, True, [], {}],
    FieldKind.LONG: ["1", 1.5, True, []],
    FieldKind.INT: ["1", 1.5, True, 2, -1],
    FieldKind.DOUBLE: ["0.5", True, [], {}],
    FieldKind.FLAG: [0, 1, "true"],
    FieldKind.TEXTS: ["nyc", [1], [None], {}, [["nyc"]]],
}


def reason(data: bytes) -> str:
    """Why `data` is turned away."""
    with pytest.raises(RejectRecord) as caught:
        parse_record(data)
    return caught.value.reason


@given(wire_records())
def test_a_right_record_is_read_whole(record: dict[str, Any]) -> None:
    """Every field of the type is there, trimmed, null where the record has none; no other is."""
    read = read_record(record)
    kind = RECORD_TYPES[record["type"]]
    assert [field.name for field in kind.fields] == list(read.fields)
    for name, value in read.fields.items():
        given_value = record[name]
        trimmed = given_value.strip() if isinstance(given_value, str) else given_value
        if isinstance(given_value, list):
            trimmed = [item.strip() for item in given_value]
        assert trimmed == value


@given(wire_records())
def test_a_record_survives_the_wire(record: dict[str, Any]) -> None:
    """What is put on a stream is read as the record that was put, key and moment included."""
    read = read_record(record)
    assert read == parse_record(read.to_bytes())
    assert read.to_json() == json.loads(read.to_bytes())


@given(wire_records())
def test_bytes_and_mappings_read_alike(record: dict[str, Any]) -> None:
    """Escaped or not, spaced or not, the same JSON is the same record."""
    data = json.dumps(record, indent=2).encode()
    assert read_record(record) == parse_record(data)


@given(st.sampled_from(list(RECORD_TYPES.values())), st.data())
def test_a_field_of_another_type_is_named(kind: RecordType, data: st.DataObject) -> None:
    """Types match exactly: no text for a number, no number for a flag, no flag for a number."""
    record = data.draw(wire_records(kind.name))
    for field in kind.fields:
        value = data.draw(st.sampled_from(WRONG[field.kind]))
        with pytest.raises(RejectRecord) as caught:
            read_record(record | {field.name: value})
        assert field.name == caught.value.field


@given(st.sampled_from(list(RECORD_TYPES.values())), st.data())
def test_a_missing_field_is_named(kind: RecordType, data: st.DataObject) -> None:
    """A record without a required field, or with null for it, is turned away for that field."""
    required = [field.name for field in kind.fields if not field.optional]
    name = data.draw(st.sampled_from([*required, "created"]))
    record = data.draw(wire_records(kind.name))
    for incomplete in ({n: v for n, v in record.items() if n != name}, {**record, name: None}):
        with pytest.raises(RejectRecord) as caught:
            read_record(incomplete)
        assert name == caught.value.field


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"{not json", "not JSON"),
        (b'{"a":NaN}', "not JSON"),
        (b'{"a":-Infinity}', "not JSON"),
        (b'{"a":' + b"9" * 5000 + b"}", "not JSON"),
        (b'\xef\xbb\xbf{"type":"codeBan"}', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"type":"codeB\xe4n"}', "not UTF-8"),
        (b"[1]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'"registration"', "not a JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{}", "type: missing, or not a string"),
        (b'{"type":7}', "type: missing, or not a string"),
        (b'{"type":["codeBan"]}', "type: missing, or not a string"),
        (b'{"type":"telemetry"}', "type: unknown"),
        (b'{"type":"selectionRefresh"}', "type: unknown"),
        (b'{"type":"codeBan","type":"codeBan"}', "a field appears twice"),
    ],
)
def test_what_is_no_record_is_turned_away(data: bytes, why: str) -> None:
    """Bytes that are no record of ours say what is wrong with them."""
    assert why == reason(data)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"campaignId": " \t"}, "campaignId: empty"),
        ({"code": ""}, "code: empty"),
        ({"created": "2026-09-01T00:00:00"}, "created: expected an ISO-8601"),
        ({"created": "2026-09-01T00:00:00+02:00"}, "created: expected an ISO-8601"),
        ({"created": "2026-09-01 00:00:00Z"}, "created: expected an ISO-8601"),
        ({"created": "2026-09-01"}, "created: expected an ISO-8601"),
        ({"created": "yesterday"}, "created: expected an ISO-8601"),
        ({"created": 1788220800000}, "created: expected an ISO-8601"),
        ({"code": "secret-\ud800"}, "code: no canonical JSON"),
        ({"secret-field": "\ud800"}, "a field that is not of the type: no canonical JSON"),
        ({"secret-\ud800": 1}, "a field that is not of the type: no canonical JSON"),
        ({"secret-field": 10**400}, "a field that is not of the type: a number beyond"),
        ({"secret-field": float("inf")}, "a field that is not of the type: no canonical JSON"),
        ({"reason": {"secret": "value"}}, "reason: expected a string, got an object"),
    ],
)
def test_a_wrong_value_is_named_and_not_quoted(wrong: dict[str, Any], why: str) -> None:
    """The reason says which field is wrong and never what stands in it."""
    with pytest.raises(RejectRecord, match=f"^{why}") as caught:
        read_record(BAN | wrong)
    assert "secret" not in caught.value.reason


def test_notes_of_carriers_are_no_part_of_a_record() -> None:
    """Whatever a carrier notes, nanoseconds too big for JSON among it, is not looked at."""
    noted = read_record(BAN | {"__meta": {"nanoseconds": 1_788_220_800_000_000_001}})
    assert read_record(BAN) == noted


@given(st.integers(2**53, 2**70) | st.integers(-(2**70), -(2**53)))
def test_a_large_number_in_a_field_of_others_is_no_fault(number: int) -> None:
    """Ids of 64 bits and nanoseconds are keyed as every reader of JSON has them, as doubles."""
    read = read_record(BAN | {"deviceId": number, "deep": [number]})
    doubles = BAN | {"deviceId": float(number), "deep": [float(number)]}
    assert read_record(doubles).dedupe_key == read.dedupe_key
    with pytest.raises(RejectRecord, match="categoryId: expected a whole number below 2\\^53"):
        read_record(
            {"type": "campaignMapping", "campaignId": "c", "created": CREATED, "categoryId": number}
        )


def test_a_key_that_is_given_excuses_nothing() -> None:
    """A record that brings its key along is checked like any other."""
    with pytest.raises(RejectRecord, match="no canonical JSON"):
        read_record(BAN | {"code": "\ud800", "dedupeKey": "a" * 32})


@pytest.mark.parametrize("depth", [31, 32])
def test_nesting_has_one_limit_everywhere(depth: int) -> None:
    """How deep a record may nest does not depend on the machine that reads it."""
    nested: Any = "x"
    for _ in range(depth):
        nested = [nested]
    if depth < 32:
        assert read_record(BAN | {"extra": nested})
    for too_deep in (["x", [nested, [nested]]], {"a": {"b": nested}}):
        with pytest.raises(RejectRecord, match="nested too deeply"):
            read_record(BAN | {"extra": too_deep})


def test_a_fan_of_a_scoring_has_an_id() -> None:
    """A scoring record names its fan by one id at least, and an empty one is none."""
    nobody = {**SCORING, "globalUserId": " ", "memberId": None}
    with pytest.raises(RejectRecord, match="globalUserId, memberId, userId, email: missing"):
        read_record(nobody)
    for name in ("memberId", "userId", "email"):
        assert read_record(nobody | {name: " x "}).fields[name] == "x"


def test_a_fan_registers_for_four_markets_at_most() -> None:
    """Five preferences are refused at registration; a scoring may list any number."""
    five = list("abcde")
    with pytest.raises(RejectRecord, match="marketIds: more than 4"):
        read_record(REGISTRATION | {"marketIds": five})
    assert five == read_record(SCORING | {"marketIds": five}).fields["marketIds"]


@pytest.mark.parametrize("wrong", [{"verdict": 2}, {"source": "guessed"}])
def test_some_fields_have_few_values(wrong: dict[str, Any]) -> None:
    """A verdict is 0 or 1, a source is `scored` or `fanlist`."""
    with pytest.raises(RejectRecord, match="expected one of"):
        read_record(SCORING | wrong)


def test_a_whole_number_is_fine_where_a_number_is_expected() -> None:
    """JSON writes 1.0 as 1."""
    score = read_record(SCORING | {"score": 1}).fields["score"]
    assert (1.0, float) == (score, type(score))


def test_an_address_may_be_blank() -> None:
    """A fan without an address stays in the books, for scrubbing to tag."""
    assert read_record(REGISTRATION | {"email": " "}).fields["email"] == ""


def test_in_process_values_are_checked_like_json() -> None:
    """What JSON has no word for is turned away, tuples count as lists."""
    with pytest.raises(RejectRecord, match="a field that is not of the type: not a JSON type"):
        read_record(BAN | {"extra": datetime(2026, 1, 1, tzinfo=UTC)})
    with pytest.raises(RejectRecord, match="not a JSON object"):
        read_record(["codeBan"])  # type: ignore[arg-type]
    assert read_record(REGISTRATION | {"marketIds": (" nyc",)}).fields["marketIds"] == ["nyc"]


def test_the_selection_stream_carries_two_types() -> None:
    """Code assignments and refreshes are read from it, and nothing else."""
    data = b'{"type":"selectionRefresh","campaignId":"c","globalUserId":"g "}'
    refresh = parse_record(data, SELECTION_TYPES)
    assert refresh.fields == {"campaignId": "c", "globalUserId": "g"}
    assert {"codeAssignment", "selectionRefresh"} == set(SELECTION_TYPES)
    with pytest.raises(UnknownType):
        parse_record(json.dumps(BAN).encode(), SELECTION_TYPES)


@given(moments)
def test_moments_keep_their_milliseconds(moment: datetime) -> None:
    """`created` is read to the millisecond and written back as the same text."""
    text = iso_utc(parse_utc(moment.isoformat()))
    assert moment.replace(microsecond=moment.microsecond // 1000 * 1000) == parse_utc(text)
    assert text == iso_utc(parse_utc(text))
    assert text.endswith("Z")


def test_a_record_shows_nothing_personal() -> None:
    """The repr has the type and the key alone."""
    record = read_record(REGISTRATION | {"phone": "+12125550162"})
    assert f"Record(type='registration', dedupe_key='{record.dedupe_key}')" == repr(record)
