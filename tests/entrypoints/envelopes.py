"""Envelopes of AWS for the tests: recorded as files, and built."""

import json
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from campaign_workers.domain.running.events import StreamBatch, StreamRecord

EVENTS: Final = Path(__file__).parent / "events"


def load_event(name: str) -> Any:
    """Return an event as AWS sends it, with the keys and names of this package."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def kinesis(batch: StreamBatch) -> dict[str, Any]:
    """Return the event in which Lambda passes a batch."""
    return {"Records": [_record(batch, record) for record in batch.records]}


def _record(batch: StreamBatch, record: StreamRecord) -> dict[str, Any]:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.partition_key,
            "sequenceNumber": record.sequence,
            "data": b64encode(record.data).decode(),
            "approximateArrivalTimestamp": record.arrived.timestamp(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{batch.shard}:{record.sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/any",
        "awsRegion": "us-east-1",
        "eventSourceARN": f"arn:aws:kinesis:us-east-1:123456789012:stream/{batch.stream}",
    }


def sqs(bodies: Iterable[str], *, queue: str = "moveMergedAvroQueue") -> dict[str, Any]:
    """Return the event in which Lambda passes messages."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "h",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "g"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue}",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }
