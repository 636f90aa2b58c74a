"""Every event of AWS becomes the events that its worker takes."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.container import Container
from campaign_workers.domain.running.events import (
    ObjectCreated,
    QueueMessage,
    StreamBatch,
    StreamRecord,
    Tick,
)
from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.entrypoints.envelopes import MAGIC, events
from tests.entrypoints.envelopes import EVENTS, kinesis, load_event

ETAG: Final = "d41d8cd98f00b204e9800998ecf8427e"
NUMBER: Final = "4959033827149025660855969253836157109592157598913658"
CONFIG: Final = "smsWaves/scheduled/summer-tour_tm_csv.json"


def new_object(key: str, etag: str = ETAG) -> ObjectCreated:
    """Return the event of an object in the bucket `scoring`."""
    return ObjectCreated(bucket="scoring", key=key, etag=etag)


OBJECTS: Final[dict[tuple[str, str], tuple[ObjectCreated, ...]]] = {
    ("processScoredFiles", "s3-put"): (new_object("scored/summer-tour.20260914170000.txt"),),
    ("processScoredFiles", "s3-key-plus-and-percent"): (
        new_object("scored/summer tour+100% café.txt"),
    ),
    ("processScoredFiles", "s3-key-unicode"): (new_object("scored/夏の ツアー 🎫.txt"),),
    ("processScoredFiles", "s3-versioned"): (new_object("scored/summer-tour.1.txt"),),
    ("translateRanksToScores", "s3-several"): (
        new_object("fanlist/uploaded/summer-tour/gold.csv", "3858f62230ac3c915f300c664312c11f-9"),
        new_object("fanlist/uploaded/summer-tour/silver members.csv"),
    ),
    ("loadCodeAssignmentsToStream", "s3-copied"): (
        new_object("smsWaves/triggered/summer-tour_tm_csv.json"),
    ),
    ("processScoredFiles", "s3-test-event"): (),
    ("processScoredFiles", "s3-deleted"): (),
    ("processScoredFiles", "s3-restored"): (),
    ("processScoredFiles", "s3-by-eventbridge"): (
        new_object("scored/summer+tour 100%25.txt", "b1946ac92492d2347c6235b4d2611184"),
    ),
    ("processScoredFiles", "s3-by-eventbridge-deleted"): (),
    ("processScoredFiles", "sqs-from-s3"): (
        new_object("scored/summer tour+1.txt"),
        new_object("scored/summer-tour.2.txt", "b1946ac92492d2347c6235b4d2611184"),
    ),
    ("processScoredFiles", "sqs-from-s3-test-event"): (),
}
MESSAGES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("moveMergedAvroFiles", "sqs-standard"): ('["avro/registration/2026/09/01"]',),
    ("moveMergedAvroFiles", "sqs-with-attributes"): ('["avro/registration/2026/09"]',),
    ("moveMergedAvroFiles", "sqs-fifo"): (
        '["avro/registration/2026/09/01"]',
        '["avro/registration/2026/09/02"]',
    ),
}
BATCHES: Final[dict[tuple[str, str], tuple[str, str, tuple[tuple[str, str, str], ...]]]] = {
    ("saveCampaignData", "kinesis"): (
        "inputStream",
        "shardId-000000000006",
        (("0001", "user-1", "registration"), ("0002", "user-2", "registration")),
    ),
    ("saveCampaignData", "kinesis-fan-out"): (
        "inputStream",
        "shardId-000000000006",
        (("0001", "user-1", "registration"),),
    ),
    ("saveCampaignData", "kinesis-aggregated"): (
        "inputStream",
        "shardId-000000000006",
        (
            ("0001", "user-1", "registration"),
            ("0002.0", "user-2", "registration"),
            ("0002.1", "user-3", "registration"),
            ("0003", "user-4", "registration"),
        ),
    ),
    ("transformCodeAssignments", "kinesis-code-assignments"): (
        "inputStream",
        "shardId-000000000006",
        (("0003", "user-1", "codeAssignment"),),
    ),
    ("saveSelection", "kinesis-selections"): (
        "saveSelectionStream",
        "shardId-000000000000",
        (("0001", "user-1", "codeAssignment"), ("0002", "", "selectionRefresh")),
    ),
}
PASSED_ON: Final = (
    ("mergeAvroFiles", "schedule-daily"),
    ("mergeAvroFiles", "schedule-monthly"),
    ("smsWaveSend", "step-first"),
    ("smsWaveSend", "step-cursor"),
    ("smsWaveSend", "step-give-up"),
    ("generateSmsWaveCodes", "invoke-generate-codes"),
    ("processSmsWaveFiles", "invoke-prepare-wave"),
    ("processScheduledWave", "invoke-assign-codes"),
)
UNWRAPPED: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("saveStats", "eventbridge-rule"): {},
    ("slackStats", "eventbridge-scheduler"): {},
    ("smsWaveScheduler", "eventbridge-rule"): {},
    ("mergeAvroFiles", "eventbridge-with-detail"): {"inputPrefix": "2026/09/01"},
}


@pytest.mark.parametrize(("worker", "name"), OBJECTS)
def test_a_notification_names_the_very_version(worker: str, name: str) -> None:
    """Keys are decoded as S3 encodes them; other events than written objects are skipped."""
    assert events(worker, load_event(name)) == OBJECTS[worker, name]


@pytest.mark.parametrize(("worker", "name"), MESSAGES)
def test_each_message_is_an_event_of_its_own(worker: str, name: str) -> None:
    """Messages are handled one by one, in their order."""
    assert events(worker, load_event(name)) == tuple(
        QueueMessage(message_id=record["messageId"], body=body)
        for record, body in zip(load_event(name)["Records"], MESSAGES[worker, name], strict=True)
    )


@pytest.mark.parametrize(("worker", "name"), BATCHES)
def test_records_of_a_shard_are_one_batch(worker: str, name: str) -> None:
    """A batch has its stream, its shard and the sequence numbers, in order."""
    stream, shard, expected = BATCHES[worker, name]
    [batch] = events(worker, load_event(name))
    assert isinstance(batch, StreamBatch)
    assert (batch.stream, batch.shard) == (stream, shard)
    found = [
        (record.sequence, content.get("userId", ""), content["type"])
        for record in batch.records
        for content in (json.loads(record.data),)
    ]
    assert found == [(NUMBER + end, *rest) for end, *rest in expected]


def test_sub_records_have_the_arrival_time_of_their_parent() -> None:
    """Sub-records have their own partition keys and the arrival time of their parent."""
    [batch] = events("saveCampaignData", load_event("kinesis-aggregated"))
    assert isinstance(batch, StreamBatch)
    assert [record.partition_key for record in batch.records] == [
        f"user-{number}" for number in (1, 2, 3, 4)
    ]
    arrived = datetime.fromtimestamp(1789405200.123, tz=UTC)
    assert {record.arrived for record in batch.records} == {arrived}


@pytest.mark.parametrize(("worker", "name"), PASSED_ON)
def test_payloads_are_passed_on(worker: str, name: str) -> None:
    """The payload of an invocation, a schedule or a step is passed on unchanged."""
    payload = load_event(name)
    assert events(worker, payload) == (payload,)


@pytest.mark.parametrize(("worker", "name"), UNWRAPPED)
def test_the_envelope_of_eventbridge_is_taken_off(worker: str, name: str) -> None:
    """A rule without a payload has an empty one; a JSON text is parsed."""
    assert events(worker, load_event(name)) == (UNWRAPPED[worker, name],)


EVERY: Final = (*OBJECTS, *MESSAGES, *BATCHES, *PASSED_ON, *UNWRAPPED)


@pytest.mark.parametrize(("worker", "name"), EVERY)
def test_every_envelope_becomes_what_its_worker_takes(worker: str, name: str) -> None:
    """Every worker accepts its recorded events."""
    wired = Container("memory").build_worker(worker)
    for event in events(worker, load_event(name)):
        request = wired.parse(event) if isinstance(event, Mapping) else event
        if worker in {"saveStats", "slackStats", "smsWaveScheduler"}:
            assert request == Tick()


def test_every_recorded_event_and_every_worker_is_covered() -> None:
    """Each recorded event is used, and each worker has one."""
    assert {name for _, name in EVERY} == {path.stem for path in EVENTS.glob("*.json")}
    assert {worker for worker, _ in EVERY} == set(WORKERS)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("s3-test-event", "s3:TestEvent"),
        ("s3-deleted", "ObjectRemoved:Delete"),
        ("s3-by-eventbridge-deleted", "Object Deleted"),
    ],
)
def test_skipped_events_are_logged(name: str, told: str, caplog: pytest.LogCaptureFixture) -> None:
    """A wrongly configured bucket shows in the log."""
    caplog.set_level(logging.INFO, "campaign_workers")
    events("processScoredFiles", load_event(name))
    assert f"processScoredFiles skips an event of the bucket: {told}" in caplog.messages


records = st.builds(
    StreamRecord,
    sequence=st.from_regex(r"[1-9][0-9]{0,55}", fullmatch=True),
    partition_key=st.text(min_size=1, max_size=20),
    data=st.binary(max_size=200).filter(lambda data: not data.startswith(MAGIC)),
    arrived=st.integers(0, 4_000_000_000_000).map(
        lambda millis: datetime.fromtimestamp(millis / 1000, tz=UTC)
    ),
)
batches = st.builds(
    StreamBatch,
    stream=st.sampled_from(["inputStream", "vfInputStream-test", "a.b_c"]),
    shard=st.from_regex(r"shardId-[0-9]{12}", fullmatch=True),
    records=st.lists(records, min_size=1, max_size=5).map(tuple),
)


@given(batches, st.sampled_from(["saveCampaignData", "transformCodeAssignments"]))
def test_any_batch_comes_out_of_its_envelope_as_it_went_in(batch: StreamBatch, worker: str) -> None:
    """Data and arrival times are equal to the bit and the millisecond."""
    event = json.loads(json.dumps(kinesis(batch)))
    assert events(worker, event) == (batch,)


@given(st.lists(batches, min_size=2, max_size=3, unique_by=lambda batch: batch.shard))
def test_records_of_several_shards_are_several_batches(own: list[StreamBatch]) -> None:
    """Lambda does not mix shards; an event that does becomes a batch per shard."""
    mixed = {"Records": [record for batch in own for record in kinesis(batch)["Records"]]}
    assert events("saveCampaignData", mixed) == tuple(own)
