"""An emulator of one's own: what its functions may do, and what is left when it ends."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cloud.lambda_functions import call, eventually, make, role
from tests.servers.aws import ACCOUNT, REGION, Cloud, running_cloud

READS = """
import boto3
def handler(event, context):
    boto3.client("s3").list_objects_v2(Bucket="notes")
    return "read"
"""
WRITES_DOWN = """
import boto3, json, os, time
s3 = boto3.client("s3")
def note(key): s3.put_object(Bucket="notes", Key=key)
def handler(event, context):
    records = event.get("Records") or [{}]
    if "kinesis" in records[0]:
        numbers = [record["kinesis"]["sequenceNumber"] for record in records]
        event = {"name": f"{len(numbers)}-{numbers[0]}-{numbers[-1]}"}
    tries = s3.list_objects_v2(Bucket="notes", Prefix="begun/" + event["name"])["KeyCount"]
    note(f"begun/{event['name']}/{tries}")
    if not tries: time.sleep(25)
    note(f"done/{event['name']}/{tries}")
    return os.getpid()
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """An emulator that the tests here may kill."""
    with running_cloud() as started:
        started.client("s3").create_bucket(Bucket="notes")
        yield started


@pytest.fixture
def notes(cloud: Cloud) -> Callable[[str], list[str]]:
    """What functions wrote down under a prefix."""

    def notes(prefix: str) -> list[str]:
        found = cloud.client("s3").list_objects_v2(Bucket="notes", Prefix=prefix)
        return [each["Key"].removeprefix(prefix) for each in found.get("Contents", ())]

    return notes


def test_a_function_may_do_what_its_role_says(cloud: Cloud) -> None:
    """And nothing else, so that a stack that works here has roles that suffice."""
    assert call(cloud.client, make(cloud.client, READS, may=("s3:ListBucket",))) == "read"
    refused = call(cloud.client, make(cloud.client, READS, may=("s3:GetObject",)))
    assert "AccessDenied" in refused["errorMessage"]


def cut_off(cloud: Cloud) -> None:
    """Take the power away, and give it back."""
    cloud.kill()
    cloud.start()


def test_what_was_acknowledged_is_kept(cloud: Cloud) -> None:
    """Objects, records, messages, items and secrets outlive a power cut."""
    s3, kinesis, sqs = (cloud.client(service) for service in ("s3", "kinesis", "sqs"))
    dynamodb, secrets = cloud.client("dynamodb"), cloud.client("secretsmanager")
    s3.put_object(Bucket="notes", Key="kept/a b+ü", Body=b"kept")
    kinesis.create_stream(StreamName="kept", ShardCount=1)
    eventually(lambda: status(kinesis) == "ACTIVE")
    kinesis.put_records(
        StreamName="kept",
        Records=[{"Data": b"%d" % number, "PartitionKey": "any"} for number in range(50)],
    )
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    dynamodb.create_table(
        TableName="kept",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    dynamodb.put_item(TableName="kept", Item={"pk": {"S": "kept"}})
    secrets.create_secret(Name="kept", SecretString="kept")
    cut_off(cloud)
    assert s3.get_object(Bucket="notes", Key="kept/a b+ü")["Body"].read() == b"kept"
    assert [record["Data"] for record in on_stream(kinesis)] == [b"%d" % n for n in range(50)]
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"
    assert dynamodb.scan(TableName="kept")["Items"] == [{"pk": {"S": "kept"}}]
    assert secrets.get_secret_value(SecretId="kept")["SecretString"] == "kept"


def status(kinesis: Any) -> str:
    """That of the stream `kept`."""
    found = kinesis.describe_stream_summary(StreamName="kept")["StreamDescriptionSummary"]
    return str(found["StreamStatus"])


def on_stream(kinesis: Any) -> list[Any]:
    """The records of the stream `kept`."""
    (shard,) = kinesis.list_shards(StreamName="kept")["Shards"]
    iterator = kinesis.get_shard_iterator(
        StreamName="kept", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    return list(kinesis.get_records(ShardIterator=iterator)["Records"])


def test_work_that_was_under_way_comes_again(
    cloud: Cloud, notes: Callable[[str], list[str]]
) -> None:
    """An accepted event is retried, a batch is delivered again, an execution continues."""
    function = make(cloud.client, WRITES_DOWN)
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    cloud.client("lambda").invoke(
        FunctionName=function, InvocationType="Event", Payload=json.dumps({"name": "event"})
    )
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName="under-way", ShardCount=1)
    put_ten(kinesis)
    cloud.client("lambda").create_event_source_mapping(
        FunctionName=function,
        EventSourceArn=f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/under-way",
        StartingPosition="TRIM_HORIZON",
        BatchSize=100,
    )
    states = {"Call": {"Type": "Task", "Resource": arn, "End": True}}
    machine = cloud.client("stepfunctions").create_state_machine(
        name="under-way",
        roleArn=role(cloud.client, "lambda:*"),
        definition=json.dumps({"StartAt": "Call", "States": states}),
    )["stateMachineArn"]
    cloud.client("stepfunctions").start_execution(
        stateMachineArn=machine, input=json.dumps({"name": "execution"})
    )
    begun = eventually(lambda: found if len(found := notes("begun/")) == 3 else [])
    put_ten(kinesis)
    cut_off(cloud)
    eventually(lambda: len(notes("done/")) >= 3)
    assert {f"{name.rpartition('/')[0]}/1" for name in begun} <= set(notes("done/"))
    assert not [name for name in notes("done/") if name.endswith("/0") and not name[0].isdigit()]
    eventually(lambda: len(executions(cloud, machine, "SUCCEEDED")) == 1)
    assert len(executions(cloud, machine, "SUCCEEDED")) == 1


def put_ten(kinesis: Any) -> None:
    """Put ten records onto the stream `under-way`."""
    records = [{"Data": b"record", "PartitionKey": "any"}] * 10
    eventually(lambda: kinesis.put_records(StreamName="under-way", Records=records))


def executions(cloud: Cloud, machine: str, state: str) -> list[Any]:
    """Those of a state machine."""
    found = cloud.client("stepfunctions").list_executions(
        stateMachineArn=machine, statusFilter=state
    )
    return list(found["executions"])


def test_a_schedule_falls_due_when_its_time_passes(cloud: Cloud) -> None:
    """Once for each time that the clock is put forward far enough."""
    events, sqs = cloud.client("events"), cloud.client("sqs")
    url = sqs.create_queue(QueueName="ticks")["QueueUrl"]
    events.put_rule(Name="tick", ScheduleExpression="rate(5 minutes)")
    target = {"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:ticks", "Input": '{"due": 1}'}
    events.put_targets(Rule="tick", Targets=[target])
    for minutes in (4, 2, 6):
        cloud.pass_time(timedelta(minutes=minutes))
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in messages] == ['{"due": 1}'] * 2


def test_nothing_is_left_when_its_input_ends(tmp_path: Path) -> None:
    """No process, port or folder remains once the parent process is gone."""
    folder = tmp_path / "cloud"
    folder.mkdir()
    cloud = Cloud(folder)
    pid = call(cloud.client, make(cloud.client, "import os\ndef handler(e, c): return os.getpid()"))
    assert pid != os.getpid()
    assert psutil.pid_exists(pid)
    cloud.stop()
    assert not folder.exists()
    assert eventually(lambda: not psutil.pid_exists(pid))
