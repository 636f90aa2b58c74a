"""What every codec of the lake promises."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput, RetryLater
from campaign_workers.domain.records.record import Record, read_record
from campaign_workers.domain.records.types import RECORD_TYPES
from campaign_workers.ports.record_codec import RecordCodec
from campaign_workers.testing.builders import registration
from campaign_workers.testing.contracts._base import Contract, examples_share_fixtures
from campaign_workers.testing.strategies import registrations, scorings

_RECORDS = (registrations() | scorings()).map(read_record)


class _Failing(BytesIO):
    """A stream from a store that fails."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise RetryLater("the store is busy")


def _readings(codec: RecordCodec) -> tuple[Callable[[BytesIO], Any], ...]:
    return codec.read_metadata, codec.describe, lambda source: list(codec.decode(source))


class RecordCodecContract(Contract):
    """Fixtures: `codec`."""

    @examples_share_fixtures
    @given(record=_RECORDS, copies=st.integers(0, 3))
    def test_what_goes_in_comes_out(self, codec: RecordCodec, record: Record, copies: int) -> None:
        """Every record survives a container, in order and as often as it went in."""
        data = codec.encode(record.type, [record] * copies)
        assert list(codec.decode(BytesIO(data))) == [record.to_json()] * copies

    @examples_share_fixtures
    @given(record=_RECORDS)
    def test_the_same_records_are_the_same_bytes(self, codec: RecordCodec, record: Record) -> None:
        """A batch that is stored again is the same file."""
        assert codec.encode(record.type, [record]) == codec.encode(record.type, iter([record]))

    @pytest.mark.parametrize("record_type", sorted(RECORD_TYPES))
    def test_a_container_describes_itself(self, codec: RecordCodec, record_type: str) -> None:
        """Each of the ten types has a container, of a version that the history has."""
        found = codec.describe(BytesIO(codec.encode(record_type, [])))
        assert (found.record_type, found.records, dict(found.metadata)) == (record_type, 0, {})
        assert found.version is not None

    def test_records_are_counted(self, codec: RecordCodec) -> None:
        """A description counts the records of a container of any size."""
        records = [read_record(registration(f"g{number}")) for number in range(3000)]
        assert codec.describe(BytesIO(codec.encode("registration", records))).records == 3000

    def test_only_our_types_have_containers(self, codec: RecordCodec) -> None:
        """A type without a schema is refused."""
        with pytest.raises(BadInput):
            codec.encode("telemetry", [])

    def test_a_container_holds_one_type(self, codec: RecordCodec) -> None:
        """Records of two types never share a container."""
        with pytest.raises(BadInput):
            codec.encode("scoring", [read_record(registration())])

    def test_what_does_not_fit_is_refused_unquoted(self, codec: RecordCodec) -> None:
        """The error shows no value of a record that our reader did not make."""
        wrong = attrs.evolve(read_record(registration()), fields={"email": "fan@mail.example"})
        with pytest.raises(BadInput) as caught:
            codec.encode("registration", [wrong])
        assert "fan@" not in str(caught.value)

    @pytest.mark.parametrize("data", [b"", b"{}", b"PK\x03\x04" * 9])
    def test_what_is_no_container_is_refused(self, codec: RecordCodec, data: bytes) -> None:
        """Empty and foreign files are one clear error, however they are looked at."""
        for read in _readings(codec):
            with pytest.raises(BadInput):
                read(BytesIO(data))

    def test_what_ends_early_is_refused(self, codec: RecordCodec) -> None:
        """A container that lost its last byte is not read as if it were whole."""
        data = codec.encode("registration", [read_record(registration())])[:-1]
        for read in _readings(codec)[1:]:
            with pytest.raises(BadInput):
                read(BytesIO(data))

    def test_what_came_before_the_damage_is_given(self, codec: RecordCodec) -> None:
        """A reader gets the records up to where the container ends, in order, then the error."""
        records = [read_record(registration(f"g{number}")) for number in range(3000)]
        data = codec.encode("registration", records)
        given: list[dict[str, Any]] = []
        with pytest.raises(BadInput):
            given.extend(codec.decode(BytesIO(data[: len(data) * 9 // 10])))
        assert 0 < len(given) < 3000
        assert given == [record.to_json() for record in records[: len(given)]]

    def test_no_more_is_read_than_is_asked_for(self, codec: RecordCodec) -> None:
        """The metadata are read without the records, and the first record without the last."""
        records = [read_record(registration(f"g{number}")) for number in range(3000)]
        data = codec.encode("registration", records)
        noted, decoded = BytesIO(data), BytesIO(data)
        assert codec.read_metadata(noted) == {}
        assert next(codec.decode(decoded)) == records[0].to_json()
        assert max(noted.tell(), decoded.tell()) < len(data) / 2

    def test_a_failing_store_is_no_damage(self, codec: RecordCodec) -> None:
        """What goes wrong while reading from a store passes through unchanged."""
        for read in _readings(codec):
            with pytest.raises(RetryLater):
                read(_Failing())

    def test_rows_become_a_container_piece_by_piece(self, codec: RecordCodec) -> None:
        """The pieces are one container of all rows, in order, with its metadata."""
        data = b"".join(codec.stream("registration", _rows(3000), {"n": "é"}))
        assert codec.read_metadata(BytesIO(data)) == {"n": "é"}
        assert codec.describe(BytesIO(data)).version is not None
        decoded = list(codec.decode(BytesIO(data)))
        assert [record["globalUserId"] for record in decoded] == [f"g{n}" for n in range(3000)]
        assert {record["created"] for record in decoded} == {"1969-12-31T23:59:59.999Z"}
        assert "phone" not in decoded[0]

    def test_a_schema_tells_the_fields_of_rows(self, codec: RecordCodec) -> None:
        """A schema names each field that a record has, and only of types that are ours."""
        names = {field["name"] for field in codec.schema("registration")["fields"]}
        assert set(read_record(registration()).to_json()) <= names
        with pytest.raises(BadInput):
            codec.schema("telemetry")

    def test_a_row_that_does_not_fit_is_refused_unquoted(self, codec: RecordCodec) -> None:
        """The error shows no value of the row."""
        with pytest.raises(BadInput) as caught:
            list(codec.stream("registration", [{"email": "fan@mail.example"}], {}))
        assert "fan@" not in str(caught.value)

    def test_failing_rows_are_no_rows_that_do_not_fit(self, codec: RecordCodec) -> None:
        """What goes wrong while rows are fetched passes through unchanged."""

        def fail(row: dict[str, Any]) -> dict[str, Any]:
            raise RetryLater("the store is busy")

        with pytest.raises(RetryLater):
            list(codec.stream("registration", map(fail, _rows(1)), {}))


def _rows(count: int) -> Iterator[dict[str, Any]]:
    """Rows of so many fans' registrations."""
    for number in range(count):
        wire = read_record(registration(f"g{number}")).to_json()
        yield {**wire, "created": -1, "phone": None}
