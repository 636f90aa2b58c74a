"""One table of triggers: the embedded runtime, the template and the pages say the same."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from campaign_workers.domain.running.triggers import (
    TRIGGERS,
    WORKERS,
    InvokeTrigger,
    ObjectTrigger,
    QueueTrigger,
    ScheduleTrigger,
    StreamTrigger,
    Trigger,
    WorkflowTrigger,
)
from campaign_workers.domain.storage.layout import CAMPAIGN_DATA, SCORING
from tests.deploy.stack import ACCOUNT, logical, stack
from tests.deploy.trigger_texts import described
from tests.deploy.wave_workflow import attempts_of

PAGES = Path(__file__).parents[2] / "docs" / "workers"
BUCKETS = {f"campaign-data-{ACCOUNT}": CAMPAIGN_DATA, f"scoring-{ACCOUNT}": SCORING}


@pytest.mark.parametrize("worker", WORKERS)
def test_the_template_starts_a_worker_as_the_table_says(worker: str) -> None:
    """Sources, batch sizes, attempts, filters and payloads are those of `domain.triggers`."""
    assert described(in_template(worker)) == described(in_table(worker))


@pytest.mark.parametrize("worker", WORKERS)
def test_a_page_says_what_the_table_says(worker: str) -> None:
    """The row `trigger` of a worker's page has the numbers of `domain.triggers`."""
    text = (PAGES / f"{worker}.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| trigger \| (.*) \|$", text, re.MULTILINE) == [
        described(in_table(worker))
    ]


def test_nothing_else_starts_a_function() -> None:
    """The template has as many events as the table has, and no function beyond the fifteen."""
    functions = stack().functions
    assert functions.keys() == {logical(worker) for worker in WORKERS}
    started = [t for t in TRIGGERS if not isinstance(t, InvokeTrigger | WorkflowTrigger)]
    assert sum(len(f.get("Events", {})) for f in functions.values()) == len(started)


def test_streams_start_at_the_beginning() -> None:
    """What was put before a consumer existed is read too."""
    mappings = [event for f in stack().functions.values() for event in f.get("Events", {}).values()]
    streams = [event["Properties"] for event in mappings if event["Type"] == "Kinesis"]
    assert {stream["StartingPosition"] for stream in streams} == {"TRIM_HORIZON"}
    assert not [stream for stream in streams if "FunctionResponseTypes" in stream]


def in_table(worker: str) -> list[Trigger]:
    """The triggers of a worker as the embedded runtime has them."""
    return [trigger for trigger in TRIGGERS if trigger.worker == worker]


def in_template(worker: str) -> list[Trigger]:
    """The triggers of a worker as AWS has them."""
    function = stack().functions[logical(worker)]
    found = [
        READERS[event["Type"]](worker, event["Properties"], function)
        for event in function.get("Events", {}).values()
    ]
    return found or list(_called(worker, function))


def _called(worker: str, function: dict[str, Any]) -> Iterator[Trigger]:
    if caller := re.search(r"; called by (.*)$", function["Description"]):
        yield InvokeTrigger(worker=worker, caller=caller[1], attempts=_asynchronous(function))
    [machine] = stack().of("AWS::Serverless::StateMachine").values()
    if function["FunctionName"] in machine["DefinitionSubstitutions"].get(logical(worker), ""):
        yield WorkflowTrigger(worker=worker, workflow=machine["Name"], attempts=attempts_of("Send"))


def _object(worker: str, event: dict[str, Any], function: dict[str, Any]) -> Trigger:
    rules = {rule["Name"]: rule["Value"] for rule in event["Filter"]["S3Key"]["Rules"]}
    assert event["Events"] == "s3:ObjectCreated:*"
    bucket = BUCKETS[event["Bucket"]]
    return ObjectTrigger(worker=worker, bucket=bucket, attempts=_asynchronous(function), **rules)


def _stream(worker: str, event: dict[str, Any], _: dict[str, Any]) -> Trigger:
    patterns = [
        json.loads(kept["Pattern"]) for kept in event.get("FilterCriteria", {}).get("Filters", [])
    ]
    types = [name for pattern in patterns for name in pattern["data"]["type"]]
    assert patterns == [{"data": {"type": [name]}} for name in types]
    return StreamTrigger(
        worker=worker,
        stream=event["Stream"].rpartition("/")[2],
        batch_size=event["BatchSize"],
        record_type=next(iter(types), None),
        bisect=event["BisectBatchOnFunctionError"],
        attempts=event["MaximumRetryAttempts"] + 1,
    )


def _queue(worker: str, event: dict[str, Any], _: dict[str, Any]) -> Trigger:
    name = event["Queue"].rpartition(":")[2]
    [queue] = [q for q in stack().of("AWS::SQS::Queue").values() if q["QueueName"] == name]
    return QueueTrigger(
        worker=worker,
        queue=name,
        batch_size=event["BatchSize"],
        attempts=queue["RedrivePolicy"]["maxReceiveCount"],
    )


def _schedule(worker: str, event: dict[str, Any], function: dict[str, Any]) -> Trigger:
    return ScheduleTrigger(
        worker=worker,
        schedule=event["Schedule"],
        payload=json.loads(event.get("Input", "{}")),
        attempts=_asynchronous(function),
    )


def _asynchronous(function: dict[str, Any]) -> int:
    return int(function["EventInvokeConfig"]["MaximumRetryAttempts"]) + 1


READERS = {"S3": _object, "Kinesis": _stream, "SQS": _queue, "Schedule": _schedule}
