"""saveCampaignData: every record of a batch is in the lake, or in a file that says why not."""

import base64
import json
import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.system import MemoryMetrics
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.records.record import read_record
from campaign_workers.domain.running.events import StreamBatch, StreamRecord
from campaign_workers.domain.running.reports import Report
from campaign_workers.testing.builders import batch, code_assignment, registration, scoring
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from campaign_workers.worker_library.metrics import publish
from campaign_workers.workers.save_campaign_data import SaveCampaignData
from tests.lake_scenes import CODEC, contents, decode, keys, new_lake
from tests.record_strategies import wire_records

TELEMETRY = b'{"type": "telemetry", "firstName": "Paola"}'
DIRTY: list[Mapping[str, Any] | bytes] = [
    registration("g1"),
    b"{not json",
    registration("g1", created="2026-09-01T08:00:00Z"),
    scoring("g1"),
    TELEMETRY,
    registration("g2", email=None),
    b"\xff\xfe",
    code_assignment(),
]


def save(lake: MemoryObjectStore, records: StreamBatch) -> Report:
    """Run the worker once."""
    return SaveCampaignData(lake=lake, codec=CODEC)(records)


def rejected_lines(lake: MemoryObjectStore) -> list[dict[str, Any]]:
    """Return the lines of the rejected files."""
    prefix = "rejected/saveCampaignData/"
    lines = [line for key in keys(lake, prefix) for line in lake.open(key).read().splitlines()]
    return [json.loads(line) for line in lines]


def stored_records(lake: MemoryObjectStore) -> list[dict[str, Any]]:
    """Return the records in the lake."""
    return [record for key in keys(lake, "avro/") for record in decode(lake.open(key).read())]


def with_arrivals(records: StreamBatch, *moments: datetime) -> StreamBatch:
    """Return the batch with other times of arrival."""
    entries = [attrs.evolve(r, arrived=m) for r, m in zip(records.records, moments, strict=True)]
    return attrs.evolve(records, records=tuple(entries))


def test_a_dirty_batch_is_sorted() -> None:
    """Types are kept apart, copies kept once, and what is wrong is kept with its reason."""
    lake = new_lake()
    report = save(lake, batch(DIRTY))
    assert report.counts == {"in": 8, "out": 3, "rejected": 4, "duplicates": 1}
    assert not report.imbalances
    assert [key.rsplit("/", 1)[0] for key in keys(lake)] == [
        "avro/codeAssignment/2026/09/01",
        "avro/registration/2026/09/01",
        "avro/scoring/2026/09/01",
        "rejected/saveCampaignData/2026/09/01",
    ]
    assert report.details == {"files": keys(lake)}
    assert [(line["sequence"], line["reason"]) for line in rejected_lines(lake)] == [
        ("00000002", "not JSON"),
        ("00000005", "type: unknown"),
        ("00000006", "email: missing"),
        ("00000007", "not UTF-8"),
    ]


repeated = st.lists(wire_records() | st.binary(max_size=20), max_size=8).flatmap(
    lambda records: (
        st.lists(st.sampled_from(records), max_size=4).map(lambda again: [*records, *again])
        if records
        else st.just(records)
    )
)
"""Records and junk, some of them more than once."""


@given(repeated)
def test_no_record_vanishes(records: list[Any]) -> None:
    """Each record is stored once, or rejected with its bytes; the books balance."""
    lake, data = new_lake(), batch(records)
    report = save(lake, data)
    assert report.counts["in"] == len(records)
    assert not report.imbalances
    right = [read_record(record) for record in records if isinstance(record, dict)]
    wire = {record.dedupe_key: record.to_json() for record in reversed(right)}
    assert sorted(wire) == sorted(str(record["dedupeKey"]) for record in stored_records(lake))
    assert all(record == wire[record["dedupeKey"]] for record in stored_records(lake))
    kept = Counter(
        line["data"].encode() if "data" in line else base64.b64decode(line["base64"])
        for line in rejected_lines(lake)
    )
    assert kept == Counter(record for record in records if isinstance(record, bytes))


@given(st.lists(wire_records(), max_size=8))
def test_a_batch_delivered_again_changes_nothing(records: list[Any]) -> None:
    """The second delivery overwrites every file with the same bytes."""
    lake, data = new_lake(), batch([*records, b"?"])
    save(lake, data)
    once = contents(lake)
    save(lake, data)
    assert contents(lake) == once


def test_any_kill_is_survived() -> None:
    """Wherever the worker dies, the next delivery leaves what one clean run leaves."""

    def scene(port: Any) -> CrashCase:
        lake = new_lake()
        worker = SaveCampaignData(lake=port(lake), codec=CODEC)
        return CrashCase(run=lambda: worker(batch(DIRTY)), snapshot=lambda: contents(lake))

    assert assert_survives_every_kill(scene) >= 8


def test_days_are_those_of_arrival_in_utc() -> None:
    """A record is stored under its UTC day of arrival, not its day of creation."""
    lake = new_lake()
    late = datetime(2026, 9, 2, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    two = batch([registration("g1"), registration("g2")])
    save(lake, with_arrivals(two, late, datetime(2026, 9, 2, tzinfo=UTC)))
    days = [key.rsplit("/", 1)[0] for key in keys(lake)]
    assert days == ["avro/registration/2026/09/01", "avro/registration/2026/09/02"]


def test_batches_of_other_places_are_other_files() -> None:
    """Stream, shard and both ends of a batch tell its files from those of every other."""
    lake, records = new_lake(), batch([registration("g1"), registration("g2")])
    batches = [
        records,
        attrs.evolve(records, stream="vfInputStream"),
        attrs.evolve(records, shard="shard-1"),
        attrs.evolve(records, records=records.records[:1]),
        attrs.evolve(records, records=records.records[1:]),
    ]
    for each in batches:
        save(lake, each)
    assert len(keys(lake)) == len(batches)


def test_metrics_are_published_by_type() -> None:
    """Each count is published in total and by type; unknown types share one figure."""
    figures = MemoryMetrics()
    publish(save(new_lake(), batch(DIRTY)), figures)
    outcomes = {
        name: figures.total(name, {"worker": "saveCampaignData", "type": "registration"})
        for name in ("in", "out", "rejected", "duplicates")
    }
    assert outcomes == {"in": 3, "out": 1, "rejected": 1, "duplicates": 1}
    assert figures.total("rejected", {"type": "unknown"}) == 3
    assert figures.total("in", {"stream": "inputStream"}) == 8
    assert figures.counted["in", (("worker", "saveCampaignData"),)] == 8


def test_an_empty_batch_writes_nothing() -> None:
    """No records, no files."""
    lake = new_lake()
    report = save(lake, StreamBatch(stream="inputStream", shard="0", records=()))
    assert (keys(lake), report.counts["in"]) == ([], 0)


def test_a_failing_lake_is_tried_again() -> None:
    """A failing store is no fault of the records: nothing is rejected for it."""
    lake = new_lake()
    lake.fail_next(RetryLater("busy"))
    with pytest.raises(RetryLater):
        save(lake, batch(DIRTY))


def test_nothing_personal_is_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Names and addresses are in the files alone."""
    caplog.set_level(logging.DEBUG)
    lake = new_lake()
    entry = StreamRecord(
        sequence="1",
        partition_key="g1",
        data=TELEMETRY,
        arrived=datetime(2026, 9, 1, tzinfo=UTC),
    )
    report = save(lake, StreamBatch(stream="inputStream", shard="0", records=(entry,)))
    assert "Paola" not in caplog.text + repr(report) + repr(entry)
    assert rejected_lines(lake)[0]["data"] == TELEMETRY.decode()
