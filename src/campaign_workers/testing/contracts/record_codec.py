"""Contract of `RecordCodec`."""

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


class _FailingStream(BytesIO):
    """A stream whose store fails."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise RetryLater("the store is busy")


def _read_functions(codec: RecordCodec) -> tuple[Callable[[BytesIO], Any], ...]:
    return codec.read_metadata, codec.describe, lambda source: list(codec.decode(source))


class RecordCodecContract(Contract):
    """Fixtures: `codec`."""

    @examples_share_fixtures
    @given(record=_RECORDS, copies=st.integers(0, 3))
    def test_records_are_decoded_unchanged(
        self, codec: RecordCodec, record: Record, copies: int
    ) -> None:
        """All records are decoded in order, with duplicates."""
        data = codec.encode(record.type, [record] * copies)
        assert list(codec.decode(BytesIO(data))) == [record.to_json()] * copies

    @examples_share_fixtures
    @given(record=_RECORDS)
    def test_encoding_is_deterministic(self, codec: RecordCodec, record: Record) -> None:
        """The same records produce the same bytes."""
        assert codec.encode(record.type, [record]) == codec.encode(record.type, iter([record]))

    @pytest.mark.parametrize("record_type", sorted(RECORD_TYPES))
    def test_a_file_describes_itself(self, codec: RecordCodec, record_type: str) -> None:
        """Files of each of the ten types have a schema version from the history."""
        found = codec.describe(BytesIO(codec.encode(record_type, [])))
        assert (found.record_type, found.records, dict(found.metadata)) == (record_type, 0, {})
        assert found.version is not None

    def test_records_are_counted(self, codec: RecordCodec) -> None:
        """A description counts the records of files of any size."""
        records = [read_record(registration(f"g{number}")) for number in range(3000)]
        assert codec.describe(BytesIO(codec.encode("registration", records))).records == 3000

    def test_unknown_types_are_refused(self, codec: RecordCodec) -> None:
        """A record type without a schema is refused."""
        with pytest.raises(BadInput):
            codec.encode("telemetry", [])

    def test_a_file_has_one_record_type(self, codec: RecordCodec) -> None:
        """Records of different types are never in the same file."""
        with pytest.raises(BadInput):
            codec.encode("scoring", [read_record(registration())])

    def test_invalid_records_are_refused_without_quoting(self, codec: RecordCodec) -> None:
        """The error quotes no value of an invalid record."""
        wrong = attrs.evolve(read_record(registration()), fields={"email": "fan@mail.example"})
        with pytest.raises(BadInput) as caught:
            codec.encode("registration", [wrong])
        assert "fan@" not in str(caught.value)

    @pytest.mark.parametrize("data", [b"", b"{}", b"PK\x03\x04" * 9])
    def test_other_files_are_refused(self, codec: RecordCodec, data: bytes) -> None:
        """Every method raises `BadInput` for empty files and files of other formats."""
        for read in _read_functions(codec):
            with pytest.raises(BadInput):
                read(BytesIO(data))

    def test_truncated_files_are_refused(self, codec: RecordCodec) -> None:
        """A file without its last byte is refused."""
        data = codec.encode("registration", [read_record(registration())])[:-1]
        for read in _read_functions(codec)[1:]:
            with pytest.raises(BadInput):
                read(BytesIO(data))

    def test_records_before_the_damage_are_returned(self, codec: RecordCodec) -> None:
        """A reader gets the records before the damage in order, then the error."""
        records = [read_record(registration(f"g{number}")) for number in range(3000)]
        data = codec.encode("registration", records)
        given: list[dict[str, Any]] = []
        with pytest.raises(BadInput):
            given.extend(codec.decode(BytesIO(data[: len(data) * 9 // 10])))
        assert 0 < len(given) < 3000
        assert given == [record.to_json() for record in records[: len(given)]]

    def test_reading_is_lazy(self, codec: RecordCodec) -> None:
        """The metadata are read without the records, and the first record without the last."""
        records = [read_record(registration(f"g{number}")) for number in range(3000)]
        data = codec.encode("registration", records)
        noted, decoded = BytesIO(data), BytesIO(data)
        assert codec.read_metadata(noted) == {}
        assert next(codec.decode(decoded)) == records[0].to_json()
        assert max(noted.tell(), decoded.tell()) < len(data) / 2

    def test_store_errors_pass_through(self, codec: RecordCodec) -> None:
        """Errors of the store are raised unchanged."""
        for read in _read_functions(codec):
            with pytest.raises(RetryLater):
                read(_FailingStream())

    def test_rows_become_a_container_piece_by_piece(self, codec: RecordCodec) -> None:
        """The pieces are one container of all rows, in order, with its metadata."""
        data = b"".join(codec.stream("registration", _rows(3000), {"n": "é"}))
        assert codec.read_metadata(BytesIO(data)) == {"n": "é"}
        assert codec.describe(BytesIO(data)).version is not None
        decoded = list(codec.decode(BytesIO(data)))
        assert [record["globalUserId"] for record in decoded] == [f"g{n}" for n in range(3000)]
        assert {record["created"] for record in decoded} == {"1969-12-31T23:59:59.999Z"}
        assert "phone" not in decoded[0]

    def test_a_schema_has_the_fields_of_records(self, codec: RecordCodec) -> None:
        """A schema has every field of a record; unknown types have none."""
        names = {field["name"] for field in codec.schema("registration")["fields"]}
        assert set(read_record(registration()).to_json()) <= names
        with pytest.raises(BadInput):
            codec.schema("telemetry")

    def test_invalid_rows_are_refused_without_quoting(self, codec: RecordCodec) -> None:
        """The error quotes no value of the row."""
        with pytest.raises(BadInput) as caught:
            list(codec.stream("registration", [{"email": "fan@mail.example"}], {}))
        assert "fan@" not in str(caught.value)

    def test_errors_of_the_row_source_pass_through(self, codec: RecordCodec) -> None:
        """Errors of the source of rows are raised unchanged."""

        def fail(row: dict[str, Any]) -> dict[str, Any]:
            raise RetryLater("the store is busy")

        with pytest.raises(RetryLater):
            list(codec.stream("registration", map(fail, _rows(1)), {}))


def _rows(count: int) -> Iterator[dict[str, Any]]:
    """Yield rows of registrations of `count` fans."""
    for number in range(count):
        wire = read_record(registration(f"g{number}")).to_json()
        yield {**wire, "created": -1, "phone": None}
