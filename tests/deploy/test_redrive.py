"""Dead letters find their way back."""

import json
from base64 import b64decode
from typing import Any

import pytest

from campaign_workers.domain.running.events import StreamBatch
from campaign_workers.entrypoints.envelopes import events
from deploy.redrive import Redrive
from tests.cloud.lambda_functions import make
from tests.servers.aws import ACCOUNT, REGION, FreshAws, OverAws, aws_client

NOTES = """
import boto3, json, os
sqs = boto3.client("sqs")
url = sqs.get_queue_url(QueueName=os.environ["HEARD"])["QueueUrl"]
def handler(event, context):
    if event.get("bad"): raise ValueError("still bad")
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
"""


class TestRedrive(OverAws):
    @pytest.fixture
    def heard(self, aws: FreshAws) -> str:
        """The queue that records the payloads of the function."""
        return aws.queue()

    @pytest.fixture
    def function(self, heard: str) -> str:
        """The ARN of a function that writes down what it hears."""
        name = make(aws_client, NOTES, Environment={"Variables": {"HEARD": heard}})
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"

    def test_an_event_is_given_to_its_function_again(
        self, aws: FreshAws, function: str, heard: str
    ) -> None:
        """The function gets the very event, and the letter is gone."""
        queue = aws.queue()
        _post(queue, function, requestPayload={"Records": [{"s3": "ä"}]})
        assert [done for done, _ in Redrive(aws_client, queue).run()] == [True]
        assert _taken(heard) == [{"Records": [{"s3": "ä"}]}]
        assert _waiting(queue) == 0

    def test_what_fails_again_stays(self, aws: FreshAws, function: str, heard: str) -> None:
        """The others are done with, and the failure is reported without the event."""
        queue = aws.queue()
        for payload in ({"bad": "+12125550123"}, {"good": 1}):
            _post(queue, function, requestPayload=payload)
        outcomes = sorted(Redrive(aws_client, queue).run())
        assert [done for done, _ in outcomes] == [False, True]
        assert outcomes[0][1].endswith("failed again with ValueError")
        assert _taken(heard) == [{"good": 1}]
        assert _waiting(queue) == 1

    def test_a_batch_comes_from_its_stream_again(
        self, aws: FreshAws, function: str, heard: str
    ) -> None:
        """From its first record to its last one and no further, as its worker reads them."""
        stream, queue = aws.stream(shards=1), aws.queue()
        numbers = [_put(stream, word) for word in ("before", "first", "middle", "last", "after")]
        _post(queue, function, KinesisBatchInfo=_batch(stream, numbers[1], numbers[3]))
        assert [done for done, _ in Redrive(aws_client, queue).run()] == [True]
        [event] = _taken(heard)
        [batch] = events("saveCampaignData", event)
        assert isinstance(batch, StreamBatch)
        assert [record.data for record in batch.records] == [b"first", b"middle", b"last"]
        assert [record.sequence for record in batch.records] == numbers[1:4]
        assert b64decode(event["Records"][0]["kinesis"]["data"]) == b"first"

    def test_expired_records_are_reported(self, aws: FreshAws, function: str) -> None:
        """A batch whose beginning is gone is not half delivered, and its letter stays."""
        stream, queue = aws.stream(shards=1), aws.queue()
        last = _put(stream, "last")
        _post(queue, function, KinesisBatchInfo=_batch(stream, str(int(last) - 1), last))
        [(done, words)] = Redrive(aws_client, queue).run()
        assert not done
        assert "expired" in words
        assert _waiting(queue) == 1

    def test_looking_changes_nothing(self, aws: FreshAws, function: str, heard: str) -> None:
        """What is only shown is neither delivered nor hidden from the next reader."""
        queue = aws.queue()
        _post(queue, function, requestPayload={"good": 1})
        [(_, words)] = Redrive(aws_client, queue, only_show=True).run()
        assert words.endswith("RetriesExhausted, NotToday at 2026-11-20T15:00:00.000Z")
        assert _taken(heard) == []
        assert len(_taken(queue)) == 1


def _url(queue: str) -> str:
    return str(aws_client("sqs").get_queue_url(QueueName=queue)["QueueUrl"])


def _post(queue: str, function: str, **parts: Any) -> None:
    context = {"functionArn": f"{function}:$LATEST", "condition": "RetriesExhausted"}
    letter = {
        "timestamp": "2026-11-20T15:00:00.000Z",
        "requestContext": context,
        "responsePayload": {"errorType": "NotToday"},
        **parts,
    }
    aws_client("sqs").send_message(QueueUrl=_url(queue), MessageBody=json.dumps(letter))


def _taken(queue: str) -> list[Any]:
    found = aws_client("sqs").receive_message(QueueUrl=_url(queue), MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in found.get("Messages", ())]


def _waiting(queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws_client("sqs").get_queue_attributes(QueueUrl=_url(queue), AttributeNames=names)
    return sum(int(number) for number in found["Attributes"].values())


def _put(stream: str, word: str) -> str:
    answer = aws_client("kinesis").put_record(
        StreamName=stream, Data=word.encode(), PartitionKey="any"
    )
    return str(answer["SequenceNumber"])


def _batch(stream: str, first: str, last: str) -> dict[str, Any]:
    arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}"
    [shard] = aws_client("kinesis").list_shards(StreamName=stream)["Shards"]
    return {
        "shardId": shard["ShardId"],
        "startSequenceNumber": first,
        "endSequenceNumber": last,
        "streamArn": arn,
        "batchSize": 3,
        "approximateArrivalOfFirstRecord": "2026-11-20T15:00:00Z",
    }
