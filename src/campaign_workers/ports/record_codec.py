"""The files of the lake: containers of records of one type."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Protocol

import attrs

from campaign_workers.domain.records.record import Record


@attrs.frozen(kw_only=True)
class AvroFileInfo:
    """What a container says about itself, without a record being decoded.

    `version` is the version of its schema in the history of its type, None if the history does not
    have it; `metadata` is what its writer noted besides.
    """

    record_type: str
    version: int | None
    records: int
    codec: str
    metadata: Mapping[str, str] = attrs.field(factory=dict)


class RecordCodec(Protocol):
    """Writes and reads containers of the lake."""

    def encode(self, record_type: str, records: Iterable[Record]) -> bytes:
        """One container of records of one type; the same records give the same bytes.

        Raises:
            BadInput: there is no such type, or a record is not of it.
        """
        ...

    def schema(self, record_type: str) -> Mapping[str, Any]:
        """The Avro schema that records of a type are written with.

        Raises:
            BadInput: there is no such type.
        """
        ...

    def stream(
        self, record_type: str, rows: Iterable[Mapping[str, Any]], metadata: Mapping[str, str]
    ) -> Iterator[bytes]:
        """One container, piece by piece, of `rows`; `metadata` go into its header.

        A row has values by the names of the schema's fields, moments in milliseconds since 1970.
        Memory does not grow with the rows; what their iteration raises passes through.

        Raises:
            BadInput: there is no such type, or a row does not fit its schema.
        """
        ...

    def decode(self, source: BinaryIO) -> Iterator[dict[str, Any]]:
        """The records of a container, in order, each as `Record.wire` gives it.

        Records of an older version of the schema have the fields of that version. Memory does not
        grow with the container.

        Raises:
            BadInput: it is no such container, or ends early; the records before that were given.
        """
        ...

    def read_metadata(self, source: BinaryIO) -> Mapping[str, str]:
        """What the writer of a container noted; reads no further than its header.

        Raises:
            BadInput: it is no such container.
        """
        ...

    def describe(self, source: BinaryIO) -> AvroFileInfo:
        """What the container holds; reads it to the end.

        Raises:
            BadInput: it is no such container, or ends early.
        """
        ...
