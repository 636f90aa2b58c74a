"""Events of AWS become events of workers."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.events import ObjectCreated, QueueMessage, StreamBatch, StreamRecord
from campaign_workers.entrypoints.envelopes import events

S3 = {
    "eventSource": "aws:s3",
    "eventName": "ObjectCreated:Put",
    "s3": {
        "bucket": {"name": "prod-scoring"},
        "object": {"key": "scored/a+b%2Bc%C3%BC.txt", "size": 3, "eTag": "e1"},
    },
}
KINESIS = {
    "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
    "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/inputStream",
    "kinesis": {
        "partitionKey": "fan",
        "sequenceNumber": "495",
        "data": base64.b64encode(b"{}").decode(),
        "approximateArrivalTimestamp": 1545084650.5,
    },
}
SQS = {"messageId": "m1", "body": '["avro/registration/2026/09/01"]', "eventSource": "aws:sqs"}


def test_an_object_event_names_the_very_version() -> None:
    """Keys are decoded as S3 encodes them; the bucket is the one of the worker's trigger."""
    assert events("processScoredFiles", {"Records": [S3]}) == (
        ObjectCreated(bucket="scoring", key="scored/a b+cü.txt", etag="e1"),
    )


def test_records_of_a_shard_are_one_batch() -> None:
    """A batch knows its stream, its shard and when each record arrived."""
    assert events("saveCampaignData", {"Records": [KINESIS]}) == (
        StreamBatch(
            stream="inputStream",
            shard="shardId-000000000006",
            records=(
                StreamRecord(
                    sequence="495",
                    partition_key="fan",
                    data=b"{}",
                    arrived=datetime(2018, 12, 17, 22, 10, 50, 500000, tzinfo=UTC),
                ),
            ),
        ),
    )


def test_each_message_is_an_event_of_its_own() -> None:
    """Messages are handled one by one."""
    message = QueueMessage(message_id="m1", body=SQS["body"])
    assert events("moveMergedAvroFiles", {"Records": [SQS, SQS]}) == (message, message)


@pytest.mark.parametrize("payload", [{}, {"type": "daily"}, {"inputPrefix": "2026/09"}])
def test_invocations_and_schedules_are_passed_on(payload: dict[str, Any]) -> None:
    """What has no records is the worker's own payload."""
    assert events("mergeAvroFiles", payload) == (payload,)


@pytest.mark.parametrize(
    ("worker", "records"),
    [
        ("processScoredFiles", [SQS]),
        ("saveCampaignData", [S3]),
        ("saveCampaignData", [{**KINESIS, "kinesis": {**KINESIS["kinesis"], "data": "%"}}]),  # type: ignore[dict-item]
        ("moveMergedAvroFiles", ["text"]),
        ("saveStats", [SQS]),
    ],
)
def test_an_envelope_of_another_trigger_is_refused(worker: str, records: list[Any]) -> None:
    """A worker is not started by what is not its trigger."""
    with pytest.raises(BadInput):
        events(worker, {"Records": records})
