"""Contract of `QueryEngine`, which merges files of the lake."""

from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import pytest

from campaign_workers.domain.errors import BadInput, NotFound, RetryLater
from campaign_workers.domain.records.record import read_record
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.query_engine import QueryEngine
from campaign_workers.ports.record_codec import RecordCodec
from campaign_workers.testing.builders import registration
from campaign_workers.testing.contracts._base import Contract, Outage

DAY = "avro/registration/2026/09/02"
METADATA = {"campaign-workers.sources": '[{"key": "é"}]'}

# One file each: fans, some in several files, one file without any.
_FILES: Mapping[str, Sequence[str]] = {
    f"{DAY}/a.avro": ("g1", "g2", "g2"),
    f"{DAY}/b.avro": ("g1",),
    f"{DAY}/c.avro": (),
}


def _full(fan: str) -> dict[str, Any]:
    """Return a registration with values that a text format might damage."""
    return registration(
        fan,
        firstName='Ünïcode, "quoted"\nnext line\t',
        lastName="",
        marketIds=["nyc", "a,b", 'c"d', "[]"],
        score=0.1 + 0.2,
        created="2026-09-01T12:34:56.789Z",
        locale=None,
    )


class QueryEngineContract(Contract):
    """Fixtures: `lake`, the bucket of `engine`; `codec`; `outage`."""

    def test_every_record_of_every_source_is_merged_once(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """The merged records are exactly those of the sources, counted by source."""
        expected = _plant(lake, codec)
        data, counts = _merge(engine, list(_FILES))
        found = [record["globalUserId"] for record in codec.decode(BytesIO(data))]
        assert Counter(found) == Counter(fan for fans in _FILES.values() for fan in fans)
        assert all(r == expected[r["globalUserId"]] for r in codec.decode(BytesIO(data)))
        assert counts == {key: len(fans) for key, fans in _FILES.items()}

    def test_only_the_sources_are_read(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """Other files of the folder are not merged, and sources do not change."""
        _plant(lake, codec)
        before = {info.key: info.etag for info in lake.list(DAY)}
        data, _ = _merge(engine, [f"{DAY}/b.avro"])
        assert codec.describe(BytesIO(data)).records == 1
        assert {info.key: info.etag for info in lake.list(DAY)} == before

    def test_a_merged_file_may_be_merged_again(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """It has the metadata in its header, and may be merged again with others."""
        _plant(lake, codec)
        first, _ = _merge(engine, [f"{DAY}/a.avro", f"{DAY}/c.avro"])
        lake.put(f"{DAY}/merged", first)
        data, counts = _merge(engine, [f"{DAY}/merged", f"{DAY}/b.avro"])
        assert codec.read_metadata(BytesIO(data)) == METADATA
        assert counts == {f"{DAY}/merged": 3, f"{DAY}/b.avro": 1}
        assert codec.describe(BytesIO(data)).records == 4

    @pytest.mark.parametrize("body", [b"", b"not a container"])
    def test_an_invalid_source_is_refused_by_name(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec, body: bytes
    ) -> None:
        """A source that is not an Avro file ends the merge, and the error names it."""
        _plant(lake, codec)
        lake.put(f"{DAY}/strange.avro", body)
        with pytest.raises(BadInput, match=r"strange\.avro"):
            _merge(engine, [f"{DAY}/a.avro", f"{DAY}/strange.avro"])

    def test_a_source_of_another_record_type_is_refused_by_name(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """Records of different types are never merged."""
        lake.put(f"{DAY}/scoring.avro", codec.encode("scoring", []))
        with pytest.raises(BadInput, match=r"scoring\.avro"):
            _merge(engine, [f"{DAY}/scoring.avro"])

    def test_a_source_of_an_unknown_schema_is_refused_by_name(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """A source with a schema that is not in the history is refused."""
        known = codec.encode("registration", [read_record(_full("g1"))])
        lake.put(f"{DAY}/strange.avro", known.replace(b'"firstName"', b'"firstNamf"'))
        with pytest.raises(BadInput, match=r"strange\.avro"):
            _merge(engine, [f"{DAY}/strange.avro"])

    def test_an_outage_raises_retry_later(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec, outage: Outage
    ) -> None:
        """If a source cannot be read now, the merge raises `RetryLater` and leaves no files."""
        _plant(lake, codec)
        before = [info.key for info in lake.list("")]
        with outage(), pytest.raises(RetryLater):
            _merge(engine, list(_FILES))
        assert [info.key for info in lake.list("")] == before

    def test_a_missing_source_ends_the_merge(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """A missing source is not treated as empty."""
        _plant(lake, codec)
        with pytest.raises((NotFound, RetryLater)):
            _merge(engine, [f"{DAY}/a.avro", f"{DAY}/gone.avro"])

    def test_temporary_files_are_removed(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """Files that the engine creates are removed, even if the merge is abandoned."""
        _plant(lake, codec)
        before = [info.key for info in lake.list("")]
        with engine.merge("registration", list(_FILES), METADATA) as merge:
            next(iter(merge.chunks()))
        assert [info.key for info in lake.list("")] == before


def _plant(lake: ObjectStore, codec: RecordCodec) -> dict[str, dict[str, Any]]:
    """Write the files and return the expected record of each fan."""
    records = {fan: read_record(_full(fan)) for fans in _FILES.values() for fan in fans}
    for key, fans in _FILES.items():
        lake.put(key, codec.encode("registration", [records[fan] for fan in fans]))
    return {fan: record.to_json() for fan, record in records.items()}


def _merge(engine: QueryEngine, sources: Sequence[str]) -> tuple[bytes, Mapping[str, int]]:
    with engine.merge("registration", sources, METADATA) as merge:
        return b"".join(merge.chunks()), merge.counts()
