"""Containers of the lake: what goes in comes out, and the same goes in as the same bytes."""

from contextlib import suppress
from io import BytesIO
from typing import Any

import attrs
import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.avro.codec import CODECS, AvroRecordCodec
from campaign_workers.adapters.avro.containers import Block, read_blocks, read_header
from campaign_workers.adapters.avro.schemas import current_schema
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.records.record import Record, read_record
from campaign_workers.domain.records.types import RECORD_TYPES
from campaign_workers.testing.contracts.record_codec import RecordCodecContract
from tests.record_strategies import wire_records

CODEC = AvroRecordCodec()
BAN = {"type": "codeBan", "campaignId": "c", "code": "x", "created": "2026-09-01T00:00:00Z"}


class TestAvroRecordCodec(RecordCodecContract):
    """The codec of the lake."""

    @pytest.fixture(params=CODECS)
    def codec(self, request: pytest.FixtureRequest) -> AvroRecordCodec:
        """A codec with each compression."""
        return AvroRecordCodec(codec=request.param)


def bans(count: int) -> list[Record]:
    """Records that differ."""
    return [read_record(BAN | {"code": f"code-{number}"}) for number in range(count)]


@st.composite
def batches(draw: st.DrawFn) -> tuple[str, list[Record]]:
    """A type, and some records of it."""
    name = draw(st.sampled_from(sorted(RECORD_TYPES)))
    return name, [read_record(record) for record in draw(st.lists(wire_records(name), max_size=4))]


@given(batches(), st.sampled_from(CODECS))
def test_what_goes_in_comes_out(batch: tuple[str, list[Record]], codec: str) -> None:
    """Every record of every type survives a container, in order, with any compression."""
    name, records = batch
    data = AvroRecordCodec(codec=codec).encode(name, records)
    assert [record.to_json() for record in records] == list(CODEC.decode(BytesIO(data)))


@given(batches(), st.sampled_from(CODECS))
def test_a_container_describes_itself(batch: tuple[str, list[Record]], codec: str) -> None:
    """Type, version, count and compression are known without decoding a record."""
    name, records = batch
    found = CODEC.describe(BytesIO(AvroRecordCodec(codec=codec).encode(name, records)))
    assert (name, 1, len(records), codec) == attrs.astuple(found)[:4]
    assert found.metadata == {}


@given(batches())
def test_other_readers_read_our_containers(batch: tuple[str, list[Record]]) -> None:
    """A record is decoded by the schema in the file as every Avro reader does."""
    name, records = batch
    rows: list[Any] = list(fastavro.reader(BytesIO(CODEC.encode(name, records))))
    assert [dict(record.fields) for record in records] == [
        {n: v for n, v in row.items() if n not in {"type", "created", "dedupeKey"}} for row in rows
    ]
    assert [record.created for record in records] == [row["created"] for row in rows]


def test_different_batches_have_different_markers() -> None:
    """Markers tell the blocks of two files apart."""
    one, other = (read_header(BytesIO(CODEC.encode("codeBan", bans(n)))) for n in (1, 2))
    assert one.marker != other.marker


def test_many_records_make_several_blocks() -> None:
    """A large container is read block by block, and the blocks add up."""
    source = BytesIO(CODEC.encode("codeBan", bans(1500)))
    blocks = list(read_blocks(source, read_header(source).marker))
    assert len(blocks) > 1
    assert sum(block.count for block in blocks) == 1500


@given(st.integers(0, 2**62), st.binary(max_size=300))
def test_a_block_is_written_as_it_is_read(count: int, data: bytes) -> None:
    """Blocks of any size survive being copied."""
    block = Block(count=count, data=data)
    assert [block] == list(read_blocks(BytesIO(block.to_bytes(b"m" * 16)), b"m" * 16))


def test_a_header_is_written_as_it_is_read() -> None:
    """The header of a container, metadata included, survives being copied."""
    header = attrs.evolve(
        read_header(BytesIO(CODEC.encode("scoring", []))), metadata={"sources": "é"}
    )
    assert header == read_header(BytesIO(header.to_bytes()))
    assert CODEC.describe(BytesIO(header.to_bytes())).metadata
    assert {"sources": "é"} == CODEC.read_metadata(BytesIO(header.to_bytes())) == {"sources": "é"}


@pytest.mark.parametrize("fields", [{}, {"campaignId": "secret", "code": 7, "reason": None}])
def test_a_record_that_does_not_fit_is_refused_unquoted(fields: dict[str, Any]) -> None:
    """The error of a record that was not made by our reader shows none of its values."""
    wrong = attrs.evolve(bans(1)[0], fields=fields)
    with pytest.raises(BadInput, match="codeBan: a record does not fit the schema") as caught:
        CODEC.encode("codeBan", [wrong])
    assert "secret" not in str(caught.value)


@given(st.data())
def test_damage_is_one_clear_error(data: st.DataObject) -> None:
    """Wherever bytes are lost or changed, reading gives records or one error, never a crash."""
    whole = CODEC.encode("codeBan", bans(20))
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(
        st.just(whole[:place])
        | st.binary(min_size=1, max_size=9).map(lambda b: whole[:place] + b + whole[place + 1 :])
    )
    for read in (CODEC.describe, lambda source: list(CODEC.decode(source))):
        with suppress(BadInput):
            read(BytesIO(damaged))


@pytest.mark.parametrize(
    "data",
    [b"", b"Obj", b"Obj\x01", b"{}", b"PK\x03\x04" * 9, CODEC.encode("codeBan", bans(3))[:-1]],
)
def test_what_is_no_container_says_so(data: bytes) -> None:
    """Empty, foreign and cut files are refused."""
    for read in (CODEC.describe, lambda source: list(CODEC.decode(source))):
        with pytest.raises(BadInput, match="not an Avro container"):
            read(BytesIO(data))


def test_a_container_of_something_else_is_no_container_of_records() -> None:
    """A container of plain strings is refused, not misread."""
    sink = BytesIO()
    fastavro.writer(sink, "string", ["x"])
    with pytest.raises(BadInput, match="not an Avro container"):
        CODEC.describe(BytesIO(sink.getvalue()))
    with pytest.raises(BadInput, match="not an Avro container"):
        list(CODEC.decode(BytesIO(sink.getvalue())))


def test_unknown_compressions_are_refused() -> None:
    """A compression that readers may lack is refused when the codec is made."""
    with pytest.raises(ValueError, match="codec"):
        AvroRecordCodec(codec="snappy")


def test_a_container_of_an_unknown_version_says_so() -> None:
    """A schema that is not in the history has no version."""
    schema = dict(current_schema("codeBan"))
    schema["fields"] = [*schema["fields"], {"name": "later", "type": "string"}]
    sink = BytesIO()
    fastavro.writer(sink, schema, [])
    assert CODEC.describe(BytesIO(sink.getvalue())).version is None
