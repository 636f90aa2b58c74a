"""Invalid events are refused with the place of the problem."""

from copy import deepcopy
from datetime import UTC, datetime
from hashlib import md5
from typing import Any, Final

import pytest
from aws_kinesis_agg.deaggregator import messages_pb2
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.events import StreamBatch, StreamRecord
from campaign_workers.domain.running.triggers import (
    TRIGGERS,
    ObjectTrigger,
    QueueTrigger,
    StreamTrigger,
)
from campaign_workers.entrypoints.envelopes import MAGIC, events, is_queue_batch
from tests.entrypoints.envelopes import kinesis, load_event, sqs


def batch_of(data: bytes) -> StreamBatch:
    """A batch of one record."""
    arrived = datetime(2026, 9, 1, tzinfo=UTC)
    record = StreamRecord(sequence="1", partition_key="k", data=data, arrived=arrived)
    return StreamBatch(stream="inputStream", shard="shardId-1", records=(record,))


@given(st.binary(max_size=80))
def test_a_record_that_only_looks_aggregated_is_unchanged(rest: bytes) -> None:
    """It is passed to its worker, which rejects it."""
    batch = batch_of(MAGIC + rest)
    assert events("saveCampaignData", kinesis(batch)) == (batch,)


def test_a_sub_record_without_a_key_leaves_the_record_unchanged(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """No part is lost, and no data is printed."""
    packed = messages_pb2.AggregatedRecord()
    packed.partition_key_table.append("fan@example.org")
    for index in (0, 7):
        packed.records.add(partition_key_index=index, data=b"{}")
    body = packed.SerializeToString()
    for content in (body, b"", b"\xff\xff\xff"):
        batch = batch_of(MAGIC + content + md5(content).digest())
        assert events("saveCampaignData", kinesis(batch)) == (batch,)
    assert capfd.readouterr() == ("", "")


WRONG: Final[dict[str, tuple[str, Any, str]]] = {
    "no object": ("saveStats", ["text"], "event"),
    "no event at all": ("processScoredFiles", None, "event"),
    "no records": ("saveCampaignData", {}, "event"),
    "records that are no list": ("processScoredFiles", {"Records": {}}, "Records"),
    "a payload has no records": ("saveStats", sqs(["x"]), "Records"),
    "messages to an object's worker": ("processScoredFiles", sqs(["no JSON"]), r"Records\[0\]"),
    "objects to a stream's worker": (
        "saveCampaignData",
        load_event("s3-put"),
        r"Records\[0\]\.(eventSourceARN|kinesis)",
    ),
    "a record that is no object": ("moveMergedAvroFiles", {"Records": ["text"]}, r"Records\[0\]"),
    "an EventBridge detail that is no JSON": (
        "saveStats",
        {**load_event("eventbridge-rule"), "detail": "{"},
        "detail",
    ),
    "an EventBridge event without its object": (
        "processScoredFiles",
        {**load_event("s3-by-eventbridge"), "detail": {"bucket": {}}},
        r"detail\.object",
    ),
}


@pytest.mark.parametrize(("worker", "event", "field"), WRONG.values(), ids=WRONG)
def test_an_envelope_of_another_trigger_is_refused(worker: str, event: Any, field: str) -> None:
    """An event of another trigger is refused; the message names the place."""
    with pytest.raises(BadInput, match=f"^{field}: "):
        events(worker, event)


@pytest.mark.parametrize(
    ("worker", "name", "path", "value"),
    [
        ("processScoredFiles", "s3-put", "s3", ...),
        ("processScoredFiles", "s3-put", "s3.object", ...),
        ("processScoredFiles", "s3-put", "s3.object.key", ...),
        ("processScoredFiles", "s3-put", "s3.object.key", 7),
        ("processScoredFiles", "s3-put", "eventName", 7),
        ("saveCampaignData", "kinesis", "kinesis", ...),
        ("saveCampaignData", "kinesis", "kinesis.data", "%"),
        ("saveCampaignData", "kinesis", "kinesis.data", ...),
        ("saveCampaignData", "kinesis", "kinesis.sequenceNumber", ...),
        ("saveCampaignData", "kinesis", "kinesis.sequenceNumber", 7),
        ("saveCampaignData", "kinesis", "kinesis.partitionKey", None),
        ("saveCampaignData", "kinesis", "kinesis.approximateArrivalTimestamp", "soon"),
        ("saveCampaignData", "kinesis", "kinesis.approximateArrivalTimestamp", 1e20),
        ("saveCampaignData", "kinesis", "eventID", ...),
        ("saveCampaignData", "kinesis", "eventSourceARN", "inputStream"),
        ("moveMergedAvroFiles", "sqs-standard", "messageId", ...),
        ("moveMergedAvroFiles", "sqs-standard", "body", ["x"]),
    ],
)
def test_a_part_that_is_missing_or_wrong_is_named(
    worker: str, name: str, path: str, value: Any
) -> None:
    """The message names the record and the field."""
    event = deepcopy(load_event(name))
    *above, last = path.split(".")
    place = event["Records"][0]
    for part in above:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    named = rf"\.{last}" if value is ... or isinstance(place.get(last), int | None) else ""
    with pytest.raises(BadInput, match=rf"^Records\[0\]({named})?[.:]"):
        events(worker, event)


def test_no_records_are_no_calls() -> None:
    """An empty list of records calls no worker."""
    for trigger in TRIGGERS:
        if isinstance(trigger, ObjectTrigger | QueueTrigger | StreamTrigger):
            assert events(trigger.worker, {"Records": []}) == ()


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        (load_event("sqs-standard"), True),
        (load_event("sqs-from-s3"), True),
        (load_event("s3-put"), False),
        (load_event("kinesis"), False),
        ({"Records": []}, False),
        ({"Records": ["text"]}, False),
        ({"Records": None}, False),
        ({}, False),
        (None, False),
    ],
)
def test_messages_of_a_queue_are_known(event: Any, answer: bool) -> None:
    """Only those can fail one by one."""
    assert is_queue_batch(event) is answer
