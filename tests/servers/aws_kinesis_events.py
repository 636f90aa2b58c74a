"""Records of streams as functions get them, and what is said of those that are given up."""

import base64
from datetime import UTC, datetime
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id


def event_record(record: Any, stream_arn: str, shard: str) -> Any:
    """A record of a shard as an element of an event's `Records`."""
    data = record["Data"]
    number = record["SequenceNumber"]
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": number,
            "data": base64.b64encode(data).decode() if isinstance(data, bytes) else data,
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{get_account_id()}:role/lambda-role",
        "awsRegion": parse_arn(stream_arn).region,
        "eventSourceARN": stream_arn,
    }


def failed_batch(records: Any, func: Any, condition: str, calls: int) -> Any:
    """The message about records that a function never took; it has not the records themselves."""
    first, last = records[0], records[-1]
    return {
        "requestContext": {
            "functionArn": func["config"]["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": calls,
        },
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": _iso(datetime.now(UTC)),
        "KinesisBatchInfo": {
            "shardId": first["eventID"].partition(":")[0],
            "startSequenceNumber": first["kinesis"]["sequenceNumber"],
            "endSequenceNumber": last["kinesis"]["sequenceNumber"],
            "approximateArrivalOfFirstRecord": _arrival(first),
            "approximateArrivalOfLastRecord": _arrival(last),
            "batchSize": len(records),
            "streamArn": first["eventSourceARN"],
        },
    }


def _arrival(record: Any) -> str:
    moment = record["kinesis"]["approximateArrivalTimestamp"]
    return _iso(datetime.fromtimestamp(moment, UTC))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
