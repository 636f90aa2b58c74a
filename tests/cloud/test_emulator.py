"""The emulator where AWS is stricter, or quicker to give up, than it would be by itself."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import fastavro
import pytest

from tests.cloud.lambda_functions import call, eventually, make
from tests.servers.aws import ACCOUNT, REGION, FreshAws, OverAws, aws_client

Deliver = Callable[..., tuple[list[Any], list[Any]]]

IMPORTS = """
import importlib.util, os
def handler(event, context):
    found = {name: importlib.util.find_spec(name) is not None for name in event["names"]}
    return {"found": found, "code": os.path.realpath(os.environ["LAMBDA_TASK_ROOT"]),
            "spool": os.environ["SPOOL"], "names": sorted(os.environ)}
"""
RAISES = """
class NotToday(Exception): pass
def handler(event, context): raise NotToday("come back")
"""
LINES, TALKING = 4_000, 6
TALKS = """
def handler(event, context):
    for number in range(event["lines"]): print(f"line {number} " + "." * 200)
    return "said"
"""
RECORDS = """
import base64, boto3, json, os
sqs = boto3.client("sqs")
url = sqs.get_queue_url(QueueName=os.environ["CALLS"])["QueueUrl"]
def handler(event, context):
    records = [record["kinesis"] for record in event["Records"]]
    words = [base64.b64decode(record["data"]).decode() for record in records]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(words))
    if "raise" in words: raise ValueError("bad record")
    reported = [r["sequenceNumber"] for r, word in zip(records, words) if word == "report"]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in reported]}
"""


def received(queue: str) -> list[Any]:
    """Messages of a queue, which are taken out of it."""
    sqs = aws_client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def said(function: str) -> list[int]:
    """The numbers of the lines in a function's log."""
    pages = aws_client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=f"/aws/lambda/{function}")
    words = [event["message"].split() for page in found for event in page["events"]]
    assert {word for word, *_ in words} == {"START", "line", "END", "REPORT"}
    return [int(number) for word, number, *_ in words if word == "line"]


def gathered(queue: str, count: int) -> list[Any]:
    """So many messages of a queue, which come in a while, and those that are there by then."""
    found: list[Any] = []

    def enough() -> bool:
        found.extend(received(queue))
        return len(found) >= count

    eventually(enough)
    return found


def queue_arn(name: str) -> str:
    """The ARN of a queue."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


class TestFunctions(OverAws):
    def test_a_function_finds_the_sdk_and_nothing_else(self) -> None:
        """What a zip lacks is missing, although the emulator has it."""
        settings: dict[str, Any] = {"Environment": {"Variables": {"SPOOL": "/tmp"}}}
        names = ["boto3", "botocore", "urllib3", "ministack", "attrs", "duckdb", "campaign_workers"]
        one, other = (make(aws_client, IMPORTS, **settings) for _ in range(2))
        answers = [call(aws_client, function, {"names": names}) for function in (one, other)]
        assert [name for name, found in answers[0]["found"].items() if found] == names[:3]
        assert len({answer["code"] for answer in answers}) == 1
        assert len({answer["spool"] for answer in answers} - {"/tmp"}) == 2
        assert not {"PYTHONPATH", "VIRTUAL_ENV", "MONGODB_URI"} & set(answers[0]["names"])

    def test_an_error_has_the_name_of_its_class(self) -> None:
        """State machines choose by it whether to try again."""
        answer = call(aws_client, make(aws_client, RAISES))
        assert answer == {"errorMessage": "come back", "errorType": "NotToday"}

    def test_nothing_of_a_log_is_lost(self) -> None:
        """However many talk at one time, all that a call says can be read when it has answered.

        And nothing else: how the emulator knows a log's end is not in it.
        """
        functions = [make(aws_client, TALKS) for _ in range(TALKING)]
        with ThreadPoolExecutor(TALKING) as pool:
            answers = list(
                pool.map(lambda name: call(aws_client, name, {"lines": LINES}), functions)
            )
        assert answers == ["said"] * TALKING
        for function in functions:
            assert sorted(said(function)) == list(range(LINES))

    def test_an_event_is_tried_three_times_and_then_given_up(self, aws: FreshAws) -> None:
        """The destination receives the event and the error."""
        dead = aws.queue()
        function = make(aws_client, RAISES)
        aws_client("lambda").put_function_event_invoke_config(
            FunctionName=function, DestinationConfig={"OnFailure": {"Destination": queue_arn(dead)}}
        )
        aws_client("lambda").invoke(
            FunctionName=function, InvocationType="Event", Payload=json.dumps({"file": "a"})
        )
        (letter,) = gathered(dead, 1)
        assert letter["requestPayload"] == {"file": "a"}
        assert letter["requestContext"]["approximateInvokeCount"] == 3
        assert letter["responsePayload"]["errorType"] == "NotToday"


class TestStreams(OverAws):
    @pytest.fixture
    def deliver(self, aws: FreshAws) -> Deliver:
        """Puts words onto a stream; the calls that this makes, and what is given up."""

        def deliver(words: str, *, calls: int, dead: int, **settings: Any) -> Any:
            stream, called, given_up = aws.stream(shards=1), aws.queue(), aws.queue()
            function = make(aws_client, RECORDS, Environment={"Variables": {"CALLS": called}})
            aws_client("kinesis").put_records(
                StreamName=stream,
                Records=[{"Data": word.encode(), "PartitionKey": "any"} for word in words.split()],
            )
            source = aws_client("lambda").create_event_source_mapping(
                FunctionName=function,
                EventSourceArn=f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}",
                StartingPosition="TRIM_HORIZON",
                DestinationConfig={"OnFailure": {"Destination": queue_arn(given_up)}},
                MaximumRetryAttempts=1,
                **settings,
            )
            found = gathered(called, calls), gathered(given_up, dead)
            aws_client("lambda").delete_event_source_mapping(UUID=source["UUID"])
            return found

        return deliver

    def test_a_batch_is_halved_until_the_bad_record_is_alone(self, deliver: Deliver) -> None:
        """The others arrive, its position goes to the dead letter, and a split is no attempt."""
        calls, letters = deliver("a b raise c", calls=6, dead=1, BisectBatchOnFunctionError=True)
        assert [" ".join(words) for words in calls] == [
            "a b raise c", "a b", "raise c", "raise", "raise", "c",
        ]  # fmt: skip
        (letter,) = letters
        assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
        assert letter["KinesisBatchInfo"]["batchSize"] == 1

    def test_what_is_reported_comes_again_from_there_on(self, deliver: Deliver) -> None:
        """Records before the first one that is reported are done."""
        report = ["ReportBatchItemFailures"]
        calls, letters = deliver("a report b", calls=2, dead=1, FunctionResponseTypes=report)
        assert [" ".join(words) for words in calls] == ["a report b", "report b"]
        assert [letter["KinesisBatchInfo"]["batchSize"] for letter in letters] == [2]


class TestAthena(OverAws):
    def test_a_result_is_written_as_athena_writes_it(self, aws: FreshAws, tmp_path: Path) -> None:
        """Values are quoted, NULL is empty, lines end with LF; it is at the reported location."""
        bucket, base = aws.bucket(), f"base_{uuid4().hex}"
        fields = [{"name": "t", "type": ["null", "string"]}]
        with (tmp_path / "rows.avro").open("wb") as file:
            rows = [{"t": 'a "b",\nü'}, {"t": None}, {"t": ""}]
            fastavro.writer(file, {"type": "record", "name": "row", "fields": fields}, rows)
        aws_client("s3").upload_file(str(tmp_path / "rows.avro"), bucket, "rows/1.avro")
        for statement in (
            f"CREATE DATABASE {base}",
            f"CREATE EXTERNAL TABLE {base}.rows (t string) STORED AS AVRO"
            f" LOCATION 's3://{bucket}/rows/'",
            f"SELECT t, cardinality(ARRAY[1, 2]) AS n FROM {base}.rows",
        ):
            place = executed(statement, f"s3://{bucket}/results/")
        answer = aws_client("s3").get_object(Bucket=bucket, Key=place.split("/", 3)[3])
        assert answer["Body"].read().decode() == '"t","n"\n"a ""b"",\nü","2"\n,"2"\n"","2"\n'


def executed(statement: str, results: str) -> str:
    """Return the location of a statement's result once it has succeeded."""
    athena = aws_client("athena")
    started = athena.start_query_execution(
        QueryString=statement, ResultConfiguration={"OutputLocation": results}
    )

    def done() -> Any:
        execution = athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])
        state = execution["QueryExecution"]["Status"]["State"]
        return None if state in {"QUEUED", "RUNNING"} else execution["QueryExecution"]

    execution = eventually(done)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    return str(execution["ResultConfiguration"]["OutputLocation"])
