"""Merging containers: every record of every source, once, however they were written."""

import json
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.avro import schemas
from campaign_workers.adapters.avro.block_merge import BlockMerge
from campaign_workers.adapters.avro.codec import CODECS, AvroRecordCodec
from campaign_workers.adapters.avro.containers import read_blocks, read_header
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.records.record import read_record
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.query_engine import QueryEngineContract
from tests.lake_scenes import CODEC, decode, fans, new_lake, plant
from tests.record_strategies import wire_records

METADATA = {"sources": "a, b"}
sets_of_fans = st.lists(st.lists(st.integers(1, 9), max_size=5), max_size=5)


class TestBlockMerge(QueryEngineContract):
    """The engine of the embedded profile."""

    @pytest.fixture
    def codec(self) -> AvroRecordCodec:
        """The codec of the lake."""
        return CODEC

    @pytest.fixture
    def lake(self) -> MemoryObjectStore:
        """An empty lake."""
        return new_lake()

    @pytest.fixture
    def engine(self, lake: MemoryObjectStore) -> BlockMerge:
        """An engine on it."""
        return BlockMerge(lake=lake)

    @pytest.fixture
    def outage(self, lake: MemoryObjectStore) -> Outage:
        """The lake fails."""
        return lake.outage


def merged(lake: MemoryObjectStore, *sources: str, codec: str = "deflate") -> tuple[bytes, Any]:
    """The merged container, and the records that each source gave."""
    with BlockMerge(lake=lake, codec=codec).merge("registration", sources, METADATA) as merge:
        return b"".join(merge.chunks()), merge.counts()


@given(
    st.lists(
        st.tuples(st.sampled_from(CODECS), st.lists(wire_records("registration"), max_size=3)),
        max_size=3,
    )
)
def test_every_record_of_every_source_is_there_once(files: Any) -> None:
    """Whatever their compression, the records of all sources follow one another unchanged."""
    lake, expected = new_lake(), []
    for number, (codec, records) in enumerate(files):
        batch = [read_record(record) for record in records]
        lake.put(f"f{number}", AvroRecordCodec(codec=codec).encode("registration", batch))
        expected += [record.to_json() for record in batch]
    names = [f"f{number}" for number in range(len(files))]
    data, counts = merged(lake, *names)
    assert decode(data) == expected
    assert counts == {name: len(files[n][1]) for n, name in enumerate(names)}


@given(sets_of_fans)
def test_merging_in_steps_is_merging_at_once(groups: list[list[int]]) -> None:
    """A merged file may be merged again with what came later."""
    lake = new_lake()
    for number, group in enumerate(groups):
        plant(lake, f"f{number}", *group)
    plant(lake, "base")
    for number in range(len(groups)):
        lake.put("base", merged(lake, "base", f"f{number}")[0])
    at_once, _ = merged(lake, *(f"f{number}" for number in range(len(groups))))
    assert decode(lake.open("base").read()) == decode(at_once)


def test_a_merge_is_one_container_with_its_notes() -> None:
    """Any reader reads the result, its header has the metadata, and it is made the same twice."""
    lake = new_lake()
    plant(lake, "a", 1, 2)
    plant(lake, "b", 3)
    data, _ = merged(lake, "a", "b")
    found = CODEC.describe(BytesIO(data))
    assert (found.record_type, found.version, found.records) == ("registration", 1, 3)
    assert found.metadata == METADATA
    assert len(list(fastavro.reader(BytesIO(data)))) == 3
    assert merged(lake, "a", "b")[0] == data


def test_blocks_are_copied_as_they_are() -> None:
    """Nothing is decoded or compressed anew when the schema and the compression agree."""
    lake = new_lake()
    plant(lake, "a", 1, 2)
    source = lake.open("a")
    (block,) = read_blocks(source, read_header(source).marker)
    assert block.data in merged(lake, "a")[0]
    assert block.data not in merged(lake, "a", codec="null")[0]


def test_nothing_merged_is_an_empty_container() -> None:
    """No sources give no records, and still a container."""
    data, counts = merged(new_lake())
    assert (decode(data), counts) == ([], {})


def test_memory_does_not_grow_with_the_sources() -> None:
    """A merge of many files holds some chunks at a time, not the files."""
    lake = new_lake()
    plain = AvroRecordCodec(codec="null")
    size = lake.put("a", plain.encode("registration", fans(*range(2000)))).size
    tracemalloc.start()
    with BlockMerge(lake=lake, codec="null").merge("registration", ["a"] * 50, {}) as merge:
        total = sum(map(len, merge.chunks()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 49 * size
    assert peak < total / 4


def foreign(schema: Any, *rows: Any) -> bytes:
    """A container of some other schema."""
    sink = BytesIO()
    fastavro.writer(sink, schema, rows)
    return sink.getvalue()


def changed(**fields: Any) -> dict[str, Any]:
    """The registration schema with fields added."""
    schema = dict(schemas.current_schema("registration"))
    added = [{"name": name, **field} for name, field in fields.items()]
    return schema | {"fields": [*schema["fields"], *added]}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not an Avro container"),
        (b"PK\x03\x04", "not an Avro container"),
        (CODEC.encode("registration", fans(1, 2, 3))[:-20], "not an Avro container, or damaged"),
        (CODEC.encode("scoring", []), "records of another type"),
        (foreign(changed(venue={"type": "string"})), "its schema is not in the history"),
    ],
)
def test_a_strange_source_is_refused_by_name(body: bytes, why: str) -> None:
    """What is no container of the type, or of a schema nobody knows, ends the merge."""
    lake = new_lake()
    plant(lake, "good", 1)
    lake.put("strange", body)
    with pytest.raises(BadInput, match=f"^strange: {why}"):
        merged(lake, "good", "strange")


@pytest.fixture
def a_second_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A history in which registrations have got a field `venue`."""
    history = tmp_path / "history" / "registration"
    history.mkdir(parents=True)
    later = changed(venue={"type": ["null", "string"], "default": None})
    (history / "v1.avsc").write_text(json.dumps(dict(schemas.current_schema("registration"))))
    (history / "v2.avsc").write_text(json.dumps(later))
    monkeypatch.setattr(schemas, "folder", lambda: tmp_path)
    caches = (schemas.versions, schemas.current_schema)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.usefixtures("a_second_version")
def test_older_files_are_brought_up_to_date() -> None:
    """A source of an earlier version is decoded and gets the fields that came later, empty."""
    lake = new_lake()
    old = schemas.versions("registration")[1]
    row = dict(fans(1)[0].fields) | {
        "type": "registration",
        "created": fans(1)[0].created,
        "dedupeKey": fans(1)[0].dedupe_key,
    }
    lake.put("old", foreign(old, row))
    lake.put("new", foreign(schemas.current_schema("registration"), row | {"venue": "nyc-1"}))
    data, counts = merged(lake, "old", "new")
    assert CODEC.describe(BytesIO(data)).version == 2
    assert [record.get("venue") for record in decode(data)] == [None, "nyc-1"]
    assert counts == {"old": 1, "new": 1}
