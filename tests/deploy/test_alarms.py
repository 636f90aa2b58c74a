"""Nothing is lost unseen: work that is given up is kept, and an alarm rings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from campaign_workers.domain.running.triggers import (
    QUEUES,
    STREAMS,
    TRIGGERS,
    WORKERS,
    WorkflowTrigger,
)
from tests.deploy.stack import Stack, logical, stack

RUNBOOK: Final = Path(__file__).parents[2] / "docs" / "runbook.md"
QUEUE_KIND, ALARM_KIND = "AWS::SQS::Queue", "AWS::CloudWatch::Alarm"


def alarms(metric: str) -> list[dict[str, Any]]:
    """The alarms on a metric."""
    return [a for a in stack().of(ALARM_KIND).values() if a["MetricName"] == metric]


def watched(metric: str) -> set[str]:
    """Names of what alarms on a metric watch."""
    return {alarm["Dimensions"][0]["Value"] for alarm in alarms(metric)}


@pytest.mark.parametrize("worker", WORKERS)
def test_work_that_is_given_up_goes_somewhere(worker: str) -> None:
    """Whatever starts a function, its last failure leaves a dead letter, and an alarm rings."""
    function = stack().functions[logical(worker)]
    triggers = [trigger for trigger in TRIGGERS if trigger.worker == worker]
    if any(isinstance(trigger, WorkflowTrigger) for trigger in triggers):
        return
    letters = set(_destinations(function))
    assert letters
    assert letters <= watched("ApproximateNumberOfMessagesVisible")


def _destinations(function: dict[str, Any]) -> Iterator[str]:
    """Names of the queues of dead letters, one for each way in."""
    for event in function.get("Events", {}).values():
        if event["Type"] == "Kinesis":
            yield _name(event["Properties"]["DestinationConfig"]["OnFailure"]["Destination"])
        elif event["Type"] == "SQS":
            source = _name(event["Properties"]["Queue"])
            [queue] = [q for q in stack().of(QUEUE_KIND).values() if q["QueueName"] == source]
            yield _name(queue["RedrivePolicy"]["deadLetterTargetArn"])
        else:
            yield _name(
                function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]
            )
    if not function.get("Events"):
        yield _name(function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"])


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]


def test_every_queue_of_dead_letters_is_watched() -> None:
    """There is an alarm a queue of dead letters, and letters wait for two weeks."""
    letters = {
        q["QueueName"]: q for q in stack().of(QUEUE_KIND).values() if "-dlq" in q["QueueName"]
    }
    assert letters.keys() == watched("ApproximateNumberOfMessagesVisible")
    assert {q["MessageRetentionPeriod"] for q in letters.values()} == {14 * 24 * 3600}


def test_queues_outlive_their_functions() -> None:
    """A message is not given out again while a function may still be at it, six times over."""
    queues = {q["QueueName"]: q for q in stack().of(QUEUE_KIND).values()}
    for function in stack().functions.values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                queue = queues[_name(event["Properties"]["Queue"])]
                assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
    for name in QUEUES:
        assert queues[name]["RedrivePolicy"]["maxReceiveCount"] == 5


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_is_watched(metric: str) -> None:
    """Failing and throttled calls of each function ring an alarm."""
    assert watched(metric) == {f["FunctionName"] for f in stack().functions.values()}


def test_every_stream_is_watched() -> None:
    """Consumers that fall behind ring an alarm, long before records are lost."""
    assert watched("GetRecords.IteratorAgeMilliseconds") == set(STREAMS)
    hours = {
        stream["RetentionPeriodHours"] for stream in stack().of("AWS::Kinesis::Stream").values()
    }
    for alarm in alarms("GetRecords.IteratorAgeMilliseconds"):
        assert alarm["Threshold"] < min(hours) * 3_600_000 / 10


def test_waves_and_merges_are_watched() -> None:
    """A wave that fails, is aborted or runs out of time, and a refused merge, ring alarms."""
    for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"):
        assert watched(metric) == {_arn("SmsWaveStateMachine")}
    [result] = stack().of("AWS::Logs::MetricFilter").values()
    assert result["LogGroupName"] == "/aws/lambda/cmp-mrg-avro"
    [transformation] = result["MetricTransformations"]
    [alarm] = alarms(transformation["MetricName"])
    assert alarm["Namespace"] == transformation["MetricNamespace"]


def _arn(name: str) -> str:
    return stack().arn(name)


def test_alarms_tell_somebody_what_to_do() -> None:
    """Each alarm goes to the topic and names the section of the runbook that is about it."""
    headings = re.findall(r"^#+ (.+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for alarm in stack().of(ALARM_KIND).values():
        assert alarm["AlarmActions"] == [_arn("AlarmTopic")]
        assert alarm["TreatMissingData"] == "notBreaching"
        [anchor] = re.findall(r"docs/runbook\.md#([\w-]+)$", alarm["AlarmDescription"])
        assert anchor in anchors


def test_alarms_go_to_the_given_address() -> None:
    """The topic has a subscriber if there is an address, and none otherwise."""
    [topic] = Stack(AlarmEmail="ops@tour.example").of("AWS::SNS::Topic").values()
    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": "ops@tour.example"}]
    [topic] = stack().of("AWS::SNS::Topic").values()
    assert "Subscription" not in topic
