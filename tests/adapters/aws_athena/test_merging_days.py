"""Days of many small files, merged by mergeAvroFiles with Athena."""

import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any

import pytest

from campaign_workers.adapters.avro import schemas
from campaign_workers.adapters.aws.athena.columns import Columns
from campaign_workers.adapters.aws.athena.engine import read_result
from campaign_workers.domain.records.record import Record, read_record
from campaign_workers.testing.builders import registration
from tests.adapters.aws_athena.lakes import Lake, new_lake
from tests.adapters.aws_athena.test_dirty_values import SPITEFUL
from tests.lake_scenes import CODEC, DAY, decode, keys, manifest, merge, plant, queue
from tests.servers.aws import aws_client

FILES, EACH = 240, 3


@pytest.fixture
def place() -> Iterator[Lake]:
    """An empty lake."""
    with new_lake() as place:
        yield place


def dirty(number: int) -> dict[str, Any]:
    """A registration whose texts have something spiteful in them, each another one."""
    spite = SPITEFUL[number % len(SPITEFUL)]
    return registration(
        f"g{number}",
        firstName=f"a{spite}b",
        lastName=None if number % 2 else f"{spite}x{spite}y",
        marketIds=[f"m{spite}m", "nyc"][: number % 3],
        score=number / 7,
        created=f"2026-09-02T00:00:00.{number % 1000:03}Z",
    )


def put(place: Lake, key: str, batch: Sequence[Record]) -> None:
    """Put a file by the back door, which asks no questions."""
    body = CODEC.encode("registration", batch)
    aws_client("s3").put_object(Bucket=place.bucket, Key=key, Body=body)


def counted(records: Any) -> Counter[str]:
    """Records as a multiset."""
    return Counter(json.dumps(record, sort_keys=True) for record in records)


def test_hundreds_of_small_files_become_one(place: Lake) -> None:
    """Every record of 240 files is in the merged file once, and the books of the day are right."""
    lake, moves = place.objects, queue()
    batches = {
        f"{DAY}/{number:03}.avro": [
            read_record(dirty(number * EACH + each)) for each in range(EACH)
        ]
        for number in range(FILES)
    }
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(partial(put, place), batches, batches.values()))
    report = merge(lake, moves=moves, engine=place.engine())
    assert report.counts == {
        "in": FILES * EACH,
        "out": FILES * EACH,
        "rejected": 0,
        "duplicates": 0,
    }
    with lake.open(f"{DAY}/merged") as merged:
        found = counted(CODEC.decode(merged))
    assert found == counted(record.to_json() for batch in batches.values() for record in batch)
    assert manifest(lake, "2026/09/02") == dict.fromkeys(batches, EACH)
    assert keys(lake) == [*batches, f"{DAY}/merged", "manifests/registration/2026/09/02.json"]
    assert place.tables() == []


def test_late_files_join_the_merged_one(place: Lake) -> None:
    """The merged file of a day is a source like any other when more files have come."""
    lake = place.objects
    plant(lake, f"{DAY}/a.avro", 1, 2)
    merge(lake, engine=place.engine())
    plant(lake, f"{DAY}/b.avro", 2, 3)
    report = merge(lake, engine=place.engine())
    assert report.counts["out"] == 4
    assert manifest(lake, "2026/09/02") == {f"{DAY}/a.avro": 2, f"{DAY}/b.avro": 2}


@pytest.fixture
def a_second_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A history in which registrations have got a field `venue`."""
    first = dict(schemas.current_schema("registration"))
    venue = {"name": "venue", "type": ["null", "string"], "default": None}
    second = first | {"fields": [*first["fields"], venue]}
    history = tmp_path / "history" / "registration"
    history.mkdir(parents=True)
    (history / "v1.avsc").write_text(json.dumps(first))
    (history / "v2.avsc").write_text(json.dumps(second))
    monkeypatch.setattr(schemas, "folder", lambda: tmp_path)
    for cache in (schemas.versions, schemas.current_schema):
        cache.cache_clear()
    yield
    for cache in (schemas.versions, schemas.current_schema):
        cache.cache_clear()


def test_files_of_two_versions_become_one(place: Lake, request: pytest.FixtureRequest) -> None:
    """Files that lay there when the schema grew are read by the new one."""
    lake = place.objects
    plant(lake, f"{DAY}/old.avro", 1)
    request.getfixturevalue("a_second_version")
    row = decode(lake.open(f"{DAY}/old.avro").read())[0] | {"created": 0, "venue": "nyc-1"}
    lake.put(f"{DAY}/new.avro", CODEC.stream("registration", [row], {}))
    sources = [f"{DAY}/old.avro", f"{DAY}/new.avro"]
    with place.engine().merge("registration", sources, {}) as merging:
        data = b"".join(merging.chunks())
    assert CODEC.describe(BytesIO(data)).version == 2
    assert {record.get("venue") for record in decode(data)} == {None, "nyc-1"}


class LongResult(RawIOBase):
    """The result of a query with so many records, none of which exists before it is read."""

    def __init__(self, columns: Columns, count: int) -> None:
        texts = {"created": "0", "optInEmail": "true", "optInSms": "false", "score": "0.5"}
        array = json.dumps([texts.get(column.name, "x" * 40) for column in columns.plain])
        line = '"' + array.replace('"', '""') + '","[""nyc""]"\n'
        self._line, self._left, self._head = line.encode(), count, columns.header.encode() + b"\n"

    def readline(self, size: int | None = -1, /) -> bytes:
        """The next line."""
        head, self._head = self._head, b""
        if head or not self._left:
            return head
        self._left -= 1
        return self._line


def peak_of(count: int) -> int:
    """Bytes that are held at most while a result of so many records becomes a container."""
    columns = Columns.from_schema(CODEC.schema("registration"))
    tracemalloc.start()
    rows = read_result(LongResult(columns, count), columns)  # type: ignore[arg-type]
    assert sum(map(len, CODEC.stream("registration", rows, {}))) > count
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_records() -> None:
    """A result is read line by line, and what was made of it is given away by the piece."""
    assert peak_of(4000) < 1.2 * peak_of(1000)
