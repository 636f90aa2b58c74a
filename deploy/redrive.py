"""Gives dead letters of a function back to it: `python -m deploy.redrive cmp-save-data-dlq`.

Events come from the letters themselves, batches of records once more from the stream, with the same
first and last record, since names of files follow from those. A letter goes when its function has
answered; one that fails again stays, and the command ends with 1.
"""

import argparse
import json
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

LONGEST_CALL_SECONDS: Final = 910
PAGE_RECORDS: Final = 1000


class Gone(Exception):
    """The records of a letter are no longer in their stream."""


@attrs.frozen
class Redrive:
    """Reads the dead letters of `queue`; `client` gives the SDK's client of a service."""

    client: Callable[[str], Any]
    queue: str
    only_show: bool = False

    def run(self) -> Iterator[tuple[bool, str]]:
        """Yield for each letter whether it was redriven, and its outcome."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=self.queue)["QueueUrl"]
        left = []
        # Hidden for as long as the longest call, a letter is not met twice in one run.
        while letters := sqs.receive_message(
            QueueUrl=url, VisibilityTimeout=LONGEST_CALL_SECONDS
        ).get("Messages"):
            for letter in letters:
                done, words = self._deliver(json.loads(letter["Body"]))
                if done:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
                else:
                    left.append(letter["ReceiptHandle"])
                yield done or self.only_show, words
        for handle in left:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)

    def _deliver(self, letter: Mapping[str, Any]) -> tuple[bool, str]:
        context = letter["requestContext"]
        function = context["functionArn"].removesuffix(":$LATEST")
        name = f"{function.rpartition(':')[2]}: {context['condition']}"
        if self.only_show:
            return False, f"{name}, {_summary(letter)}"
        try:
            event = self._event(letter)
        except Gone as why:
            return False, f"{name}: {why}"
        answer = self.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps(event).encode()
        )
        content = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            return False, f"{name}: failed again with {content.get('errorType')}"
        return True, f"{name}: done"

    def _event(self, letter: Mapping[str, Any]) -> Any:
        if batch := letter.get("KinesisBatchInfo"):
            return {"Records": list(self._records(batch))}
        return letter["requestPayload"]

    def _records(self, batch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the records of a batch in the form of an event.

        Raises:
            Gone: the stream does not have all of them any more.
        """
        kinesis, last = self.client("kinesis"), int(batch["endSequenceNumber"])
        iterator = kinesis.get_shard_iterator(
            StreamARN=batch["streamArn"],
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
        reached = ""
        while iterator and reached != batch["endSequenceNumber"]:
            page = kinesis.get_records(ShardIterator=iterator, Limit=PAGE_RECORDS)
            for record in page["Records"]:
                if not reached and record["SequenceNumber"] != batch["startSequenceNumber"]:
                    raise Gone("the records have expired in their stream")
                if int(record["SequenceNumber"]) > last:
                    return
                reached = record["SequenceNumber"]
                yield _as_in_events(batch, record)
            if not page["Records"] and not page.get("MillisBehindLatest"):
                break
            iterator = page.get("NextShardIterator")
        if not reached:
            raise Gone("the records have expired in their stream")


def _as_in_events(batch: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    arrived: datetime = record["ApproximateArrivalTimestamp"]
    return {
        "eventID": f"{batch['shardId']}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "eventSource": "aws:kinesis",
        "eventSourceARN": batch["streamArn"],
        "eventVersion": "1.0",
        "awsRegion": batch["streamArn"].split(":")[3],
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "approximateArrivalTimestamp": arrived.timestamp(),
            "data": b64encode(record["Data"]).decode(),
        },
    }


def _summary(letter: Mapping[str, Any]) -> str:
    """Return a summary of a letter without personal data."""
    error = letter.get("responsePayload", {}).get("errorType", "no answer")
    if batch := letter.get("KinesisBatchInfo"):
        return f"{batch['batchSize']} records from {batch['approximateArrivalOfFirstRecord']}"
    return f"{error} at {letter['timestamp']}"


def main() -> int:
    """Redrive, or show, the letters of a queue; 1 if any is left over."""
    import boto3
    from botocore.config import Config

    parser = argparse.ArgumentParser(prog="python -m deploy.redrive")
    parser.add_argument("queue", help="such as cmp-save-data-dlq")
    parser.add_argument("--show", action="store_true", help="tell what there is, and do nothing")
    given = parser.parse_args()
    patient = Config(read_timeout=LONGEST_CALL_SECONDS, retries={"total_max_attempts": 1})
    redrive = Redrive(
        lambda service: boto3.client(service, config=patient), given.queue, given.show
    )
    left = 0
    for done, words in redrive.run():
        left += not done
        sys.stdout.write(f"{words}\n")
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
