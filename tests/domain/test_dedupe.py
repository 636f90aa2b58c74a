"""The key of a record: equal content, equal key, on any machine."""

import copy
import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from campaign_workers.domain.records.record import (
    canonical_json,
    dedupe_key,
    parse_record,
    read_record,
)
from tests.record_strategies import json_values, numbers, text, wire_records


def trimmed_by_hand(value: Any) -> Any:
    """The slow oracle: strings trimmed in every leaf, nulls dropped from every object."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [trimmed_by_hand(item) for item in value]
    if isinstance(value, dict):
        return {name: trimmed_by_hand(item) for name, item in value.items() if item is not None}
    return value


def key_by_hand(record: dict[str, Any]) -> str:
    """The slow oracle: the definition, word by word, with the reference implementation."""
    content = trimmed_by_hand(record)
    for name in ("created", "dedupeKey", "__meta"):
        content.pop(name, None)
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()[:32]


@given(wire_records())
def test_the_key_is_the_hash_of_the_canonical_record(record: dict[str, Any]) -> None:
    """The key of a record is what its definition says."""
    assert key_by_hand(record) == read_record(record).dedupe_key


@given(st.dictionaries(text, json_values, max_size=5))
@example({"a": 1e-7, "b": 1e21, "c": -0.0, "d": 1.0, "e": 5e-324, "f": 1e16, "g": 123456789.125})
@example({"\ufb33": 1, "\U0001f600": 2, "€": 3, "\r": 4, "1": 5, "\x7f": '"\\\b\f\n\r\t\x1f\u2028'})
def test_the_fast_way_writes_the_reference_bytes(content: dict[str, Any]) -> None:
    """Both encoders give the same bytes for any JSON object."""
    assert rfc8785.dumps(content) == canonical_json(content)


@given(st.lists(numbers, min_size=20, max_size=60))
def test_numbers_are_written_as_the_reference_writes_them(values: list[float]) -> None:
    """No double is written in Python's own notation."""
    assert [rfc8785.dumps({"n": n}) for n in values] == [canonical_json({"n": n}) for n in values]


@given(wire_records(), st.randoms(use_true_random=False))
def test_the_journey_of_a_record_leaves_its_key_alone(record: dict[str, Any], chance: Any) -> None:
    """Order of fields, nulls, blanks around texts, `created` and `__meta` make no difference."""
    names = list(record)
    chance.shuffle(names)
    travelled = {name: copy.deepcopy(record[name]) for name in names}
    for name, value in travelled.items():
        if isinstance(value, str):
            travelled[name] = f" {value}\t\n"
    travelled |= {"created": "2031-01-01T00:00:00Z", "__meta": {"shard": 1}, "unheardOf": None}
    assert read_record(record).dedupe_key == read_record(travelled).dedupe_key


@given(wire_records())
def test_an_enriched_record_keeps_its_key(record: dict[str, Any]) -> None:
    """A later step adds what it knows, and the record is still the same record."""
    first = read_record(record)
    enriched = first.to_json() | {"userId": "found later"}
    assert first.dedupe_key == read_record(enriched).dedupe_key


@pytest.mark.parametrize("given_key", ["", "ABCDEF" * 6, "g" * 32, "a" * 31, "a" * 33, 7, ["a"]])
def test_what_is_no_key_is_replaced(given_key: Any) -> None:
    """Only 32 lower-case hex digits are taken for a key that was computed before."""
    ban = {"type": "codeBan", "campaignId": "c", "code": "x", "created": "2026-01-01T00:00:00Z"}
    assert read_record(ban).dedupe_key == read_record({**ban, "dedupeKey": given_key}).dedupe_key


def test_a_known_key_never_changes() -> None:
    """A key computed years ago is computed again today."""
    ban = b'{"type":"codeBan","campaignId":" c","code":"\xc3\xa9 ","score":1.0,"created":"%s"}'
    record = parse_record(ban % b"2026-01-01T00:00:00Z")
    by_hand = '{"campaignId":"c","code":"é","score":1,"type":"codeBan"}'
    assert hashlib.sha256(by_hand.encode()).hexdigest()[:32] == record.dedupe_key


@pytest.mark.parametrize(
    "value", ["\ud800", float("nan"), float("inf"), 2**53, -(2**53), {"deep": ["\udfff"]}]
)
def test_what_has_no_canonical_form_has_no_key(value: Any) -> None:
    """A value that JSON cannot carry everywhere is an error, never a key by accident."""
    with pytest.raises(ValueError, match=r".+"):
        dedupe_key({"field": value})


def test_canonical_json_is_json() -> None:
    """The canonical bytes say what the object said."""
    content = {"b": [1, 2.5, "é", None, True], "a": {"x": {}}}
    assert content == json.loads(canonical_json(content))
