"""What every engine that merges files of the lake promises."""

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
    """A registration with everything that a text format could spoil."""
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
    """Fixtures: `lake`, the bucket that `engine` merges files of; `codec`; `outage`."""

    def test_every_record_of_every_source_is_there_once(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """The multiset of records is kept, exactly, and counted by source."""
        expected = _plant(lake, codec)
        data, counts = _merged(engine, list(_FILES))
        found = [record["globalUserId"] for record in codec.decode(BytesIO(data))]
        assert Counter(found) == Counter(fan for fans in _FILES.values() for fan in fans)
        assert all(r == expected[r["globalUserId"]] for r in codec.decode(BytesIO(data)))
        assert counts == {key: len(fans) for key, fans in _FILES.items()}

    def test_only_the_sources_are_read(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """A file beside the sources is not merged, and no source is changed."""
        _plant(lake, codec)
        before = {info.key: info.etag for info in lake.list(DAY)}
        data, _ = _merged(engine, [f"{DAY}/b.avro"])
        assert codec.describe(BytesIO(data)).records == 1
        assert {info.key: info.etag for info in lake.list(DAY)} == before

    def test_a_merge_is_a_container_like_any_other(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """It has the metadata in its header, and may be merged again with others."""
        _plant(lake, codec)
        first, _ = _merged(engine, [f"{DAY}/a.avro", f"{DAY}/c.avro"])
        lake.put(f"{DAY}/merged", first)
        data, counts = _merged(engine, [f"{DAY}/merged", f"{DAY}/b.avro"])
        assert codec.read_metadata(BytesIO(data)) == METADATA
        assert counts == {f"{DAY}/merged": 3, f"{DAY}/b.avro": 1}
        assert codec.describe(BytesIO(data)).records == 4

    @pytest.mark.parametrize("body", [b"", b"not a container"])
    def test_a_strange_source_is_refused_by_name(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec, body: bytes
    ) -> None:
        """What is no container ends the merge, and the error names it."""
        _plant(lake, codec)
        lake.put(f"{DAY}/strange.avro", body)
        with pytest.raises(BadInput, match=r"strange\.avro"):
            _merged(engine, [f"{DAY}/a.avro", f"{DAY}/strange.avro"])

    def test_a_source_of_another_type_is_refused_by_name(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """Records of two types are never merged."""
        lake.put(f"{DAY}/scoring.avro", codec.encode("scoring", []))
        with pytest.raises(BadInput, match=r"scoring\.avro"):
            _merged(engine, [f"{DAY}/scoring.avro"])

    def test_a_source_of_an_unknown_schema_is_refused_by_name(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """What no version of the history has written, nobody knows how to read."""
        known = codec.encode("registration", [read_record(_full("g1"))])
        lake.put(f"{DAY}/strange.avro", known.replace(b'"firstName"', b'"firstNamf"'))
        with pytest.raises(BadInput, match=r"strange\.avro"):
            _merged(engine, [f"{DAY}/strange.avro"])

    def test_an_outage_asks_for_another_try(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec, outage: Outage
    ) -> None:
        """A source that cannot be read now is no reason to give up, and nothing is left behind."""
        _plant(lake, codec)
        before = [info.key for info in lake.list("")]
        with outage(), pytest.raises(RetryLater):
            _merged(engine, list(_FILES))
        assert [info.key for info in lake.list("")] == before

    def test_a_source_that_is_gone_ends_the_merge(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """A missing source is never taken for an empty one."""
        _plant(lake, codec)
        with pytest.raises((NotFound, RetryLater)):
            _merged(engine, [f"{DAY}/a.avro", f"{DAY}/gone.avro"])

    def test_nothing_is_left_behind(
        self, lake: ObjectStore, engine: QueryEngine, codec: RecordCodec
    ) -> None:
        """Whatever the engine made for itself is gone, also when the merge was given up."""
        _plant(lake, codec)
        before = [info.key for info in lake.list("")]
        with engine.merge("registration", list(_FILES), METADATA) as merge:
            next(iter(merge.chunks()))
        assert [info.key for info in lake.list("")] == before


def _plant(lake: ObjectStore, codec: RecordCodec) -> dict[str, dict[str, Any]]:
    """Put the files, and return each fan's record as it must come out."""
    records = {fan: read_record(_full(fan)) for fans in _FILES.values() for fan in fans}
    for key, fans in _FILES.items():
        lake.put(key, codec.encode("registration", [records[fan] for fan in fans]))
    return {fan: record.to_json() for fan, record in records.items()}


def _merged(engine: QueryEngine, sources: Sequence[str]) -> tuple[bytes, Mapping[str, int]]:
    with engine.merge("registration", sources, METADATA) as merge:
        return b"".join(merge.chunks()), merge.counts()
