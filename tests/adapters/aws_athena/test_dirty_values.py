"""What Athena hands back is what the block merge hands back, whatever the values hold."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any
from uuid import uuid4

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign_workers.adapters.avro.block_merge import BlockMerge
from campaign_workers.domain.records.types import RECORD_TYPES
from campaign_workers.ports.query_engine import QueryEngine
from tests.adapters.aws_athena.lakes import Lake, new_lake
from tests.lake_scenes import CODEC

METADATA = {"campaign-workers.sources": '[{"key": "é"}]'}
SPITEFUL = (
    "",
    " ",
    '"',
    '""',
    ",",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\\",
    "\\n",
    "\0",
    "\x1f",
    "\x7f",
    "\x85",
    "\u2028",
    "\ufeff",
    "\U0001f39f\ufe0f",
    "null",
    "NULL",
    "[]",
    '["a"]',
    "'; DROP TABLE",
    "=1+1",
    "\\N",
    "{}",
    "true",
)
text = st.sampled_from(SPITEFUL) | st.text(st.characters(codec="utf-8"), max_size=12)
FIRST_MOMENT, LAST_MOMENT = -62_135_596_800_000, 253_402_300_799_999
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "string": text | st.lists(st.sampled_from(SPITEFUL)).map("".join),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1]),
    "double": st.floats() | st.sampled_from([0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0]),
    "timestamp-millis": st.integers(FIRST_MOMENT, LAST_MOMENT)
    | st.sampled_from([FIRST_MOMENT, -1, 0, 1, LAST_MOMENT]),
    "array": st.lists(text, max_size=4),
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Every value that an Avro type can take."""
    if isinstance(kind, list):
        return st.none() | values_of(next(one for one in kind if one != "null"))
    if isinstance(kind, Mapping):
        kind = kind.get("logicalType", kind["type"])
    return VALUES[kind]


def rows(record_type: str) -> st.SearchStrategy[dict[str, Any]]:
    """Rows of a type, with every value that its schema lets in."""
    fields = CODEC.schema(record_type)["fields"]
    return st.fixed_dictionaries({field["name"]: values_of(field["type"]) for field in fields})


def files(record_type: str) -> st.SearchStrategy[tuple[str, list[list[dict[str, Any]]]]]:
    """A type, and the rows of some files of it."""
    some = st.lists(rows(record_type), max_size=12)
    return st.tuples(st.just(record_type), st.lists(some, min_size=1, max_size=3))


def merged(engine: QueryEngine, record_type: str, keys: Sequence[str]) -> tuple[bytes, Any]:
    """The merged container and the counts."""
    with engine.merge(record_type, keys, METADATA) as merge:
        return b"".join(merge.chunks()), merge.counts()


def multiset(data: bytes) -> Counter[str]:
    """The rows of a container, in no order, with every digit of every value."""
    found = fastavro.reader(BytesIO(data))
    return Counter(json.dumps(row, default=str, sort_keys=True) for row in found)


def meta(data: bytes) -> Any:
    """What stands in the header of a container."""
    return fastavro.reader(BytesIO(data)).metadata


@pytest.fixture(scope="module")
def place() -> Iterator[Lake]:
    """One lake for all examples, each of which has a folder of its own."""
    with new_lake() as place:
        yield place


@settings(max_examples=12)
@given(st.sampled_from(sorted(RECORD_TYPES)).flatmap(files) | files("registration"))
def test_athena_gives_what_the_block_merge_gives(place: Lake, named: Any) -> None:
    """Both engines give the same multiset of records, the same counts and the same header."""
    record_type, contents = named
    folder = uuid4().hex
    keys = [f"{folder}/{number}" for number in range(len(contents))]
    for key, content in zip(keys, contents, strict=True):
        place.objects.put(key, CODEC.stream(record_type, content, {}))
    data, counts = merged(place.engine(), record_type, keys)
    by_blocks, counted = merged(BlockMerge(lake=place.objects), record_type, keys)
    assert multiset(data) == multiset(by_blocks)
    assert counts == counted
    assert meta(data).keys() == meta(by_blocks).keys()
    assert json.loads(meta(data)["avro.schema"]) == json.loads(meta(by_blocks)["avro.schema"])
    assert CODEC.read_metadata(BytesIO(data)) == METADATA


def test_every_spiteful_text_survives(place: Lake) -> None:
    """Each of them alone and among others, as a value and in an array, in one merge."""
    base = {
        "type": "registration",
        "dedupeKey": "k",
        "campaignId": "c",
        "userId": "u",
        "email": "e",
        "optInEmail": True,
        "optInSms": False,
        "created": 0,
    }
    content = [base | {"firstName": value, "marketIds": [value]} for value in SPITEFUL]
    content += [base | {"firstName": None, "marketIds": list(SPITEFUL)}]
    place.objects.put("spiteful/0", CODEC.stream("registration", content, {}))
    data, counts = merged(place.engine(), "registration", ["spiteful/0"])
    found = [(row["firstName"], row["marketIds"]) for row in fastavro.reader(BytesIO(data))]  # type: ignore[index, call-overload]
    assert Counter(map(str, found)) == Counter(
        str((row["firstName"], row["marketIds"])) for row in content
    )
    assert counts == {"spiteful/0": len(content)}
