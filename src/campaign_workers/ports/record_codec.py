"""Port of the codec for files of the lake (Avro)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Protocol

import attrs

from campaign_workers.domain.records.record import Record


@attrs.frozen(kw_only=True)
class AvroFileInfo:
    """Facts about an Avro file, found without decoding its records.

    `version` is the version of its schema in the history of the type, or None if the history does
    not have it; `metadata` is what its writer added to the header.
    """

    record_type: str
    version: int | None
    records: int
    codec: str
    metadata: Mapping[str, str] = attrs.field(factory=dict)


class RecordCodec(Protocol):
    """Encodes and decodes Avro files with records of one type."""

    def encode(self, record_type: str, records: Iterable[Record]) -> bytes:
        """Return a file with the records; the same records give the same bytes.

        Raises:
            BadInput: there is no such type, or a record has another type.
        """
        ...

    def schema(self, record_type: str) -> Mapping[str, Any]:
        """Return the Avro schema with which records of a type are written.

        Raises:
            BadInput: there is no such type.
        """
        ...

    def stream(
        self, record_type: str, rows: Iterable[Mapping[str, Any]], metadata: Mapping[str, str]
    ) -> Iterator[bytes]:
        """Yield the chunks of a file, in memory that does not grow with the number of rows.

        Args:
            record_type: type of all rows.
            rows: values by field name of the schema, times in milliseconds since 1970; what their
                iteration raises is passed on.
            metadata: entries for the header.

        Raises:
            BadInput: there is no such type, or a row does not fit its schema.
        """
        ...

    def decode(self, source: BinaryIO) -> Iterator[dict[str, Any]]:
        """Yield the records of a file in order, each in the form of `Record.to_json`.

        Records with an older version of the schema have the fields of that version. Memory does
        not grow with the size of the file.

        Raises:
            BadInput: the file is not valid or ends early; earlier records were yielded.
        """
        ...

    def read_metadata(self, source: BinaryIO) -> Mapping[str, str]:
        """Return what the writer added to the header; reads the header only.

        Raises:
            BadInput: the file is not valid.
        """
        ...

    def describe(self, source: BinaryIO) -> AvroFileInfo:
        """Return facts about a file; reads it to the end.

        Raises:
            BadInput: the file is not valid or ends early.
        """
        ...
