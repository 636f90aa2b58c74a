"""What functions answer: which messages come again, and how much is told."""

import json
from typing import Any, Final

import pytest

from campaign_workers.domain.errors import BadInput, RetryLater
from campaign_workers.domain.running.events import QueueMessage
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.entrypoints.invocations import (
    MAX_RESPONSE_BYTES,
    MAX_STEP_BYTES,
    UnexpectedError,
    build_response,
)
from tests.entrypoints.envelopes import recorded, sqs
from tests.entrypoints.functions import Function

MOVE: Final = "moveMergedAvroFiles"


def moving(function: Function, **outcomes: Exception | None) -> list[str]:
    """Let messages have these outcomes, by body; the ids of those that were handled."""
    handled: list[str] = []

    def call(worker: str, message: QueueMessage) -> Report:
        handled.append(message.message_id)
        if error := outcomes[message.body]:
            raise error
        return Report(worker=worker, counts={"in": 1}, details={"period": message.body})

    function.calls(call)
    return handled


def again(answer: Any) -> list[str]:
    """The ids of the messages that come again."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_one_message_is_answered_with_its_report(function: Function) -> None:
    """And with the word that nothing comes again."""
    moving(function, a=None)
    assert function.invoke(MOVE, sqs("a")) == {
        "period": "a",
        "count": {"in": 1},
        "batchItemFailures": [],
    }


def test_only_what_failed_comes_again(function: Function) -> None:
    """What succeeded is not done twice; each failure is logged once."""
    moving(function, a=None, b=RetryLater("busy"), c=None, d=KeyError("x"))
    answer = function.invoke(MOVE, sqs("abcd"))
    assert again(answer) == ["m1", "m3"]
    assert answer["reports"] == [
        {"period": "a", "count": {"in": 1}},
        {"period": "c", "count": {"in": 1}},
    ]
    failed = [line for line in function.lines() if line["level"] == "ERROR"]
    assert [(line["correlation_id"], line["error_type"]) for line in failed] == [
        ("m1", "RetryLater"),
        ("m3", "KeyError"),
    ]
    figures = function.figures()
    assert (figures["failed", MOVE], figures["in", MOVE]) == ([2.0], [2.0])


@pytest.mark.parametrize(
    ("error", "raised"), [(RetryLater("busy"), RetryLater), (KeyError("x"), UnexpectedError)]
)
@pytest.mark.parametrize("bodies", ["b", "bb"])
def test_when_all_messages_fail_the_function_fails(
    function: Function, bodies: str, error: Exception, raised: type[Exception]
) -> None:
    """So that whoever watches the errors of a function sees it."""
    moving(function, b=error)
    with pytest.raises(raised):
        function.invoke(MOVE, sqs(bodies))
    assert function.figures()["failed", MOVE] == [float(len(bodies))]


def test_a_queue_that_keeps_order_goes_on_after_a_failure_later(function: Function) -> None:
    """Nothing behind the message that failed is handled before it."""
    handled = moving(function, a=None, b=RetryLater("busy"), c=None)
    answer = function.invoke(MOVE, sqs("abc", queue="moveMergedAvroQueue.fifo"))
    assert handled == ["m0", "m1"]
    assert again(answer) == ["m1", "m2"]


def test_a_message_that_no_worker_takes_comes_again_alone(function: Function) -> None:
    """Until its queue gives it up; the others are not held up."""
    event = recorded("sqs-fifo")
    event["Records"][1]["body"] = 7
    function.calls(lambda worker, event: Report(worker=worker, counts={}))
    assert again(function.invoke(MOVE, event)) == [event["Records"][1]["messageId"]]


def test_notifications_over_a_queue_fail_one_by_one(function: Function) -> None:
    """A message may tell of several objects, or of none."""

    def call(worker: str, event: Any) -> Report:
        if event.key == "scored/summer-tour.2.txt":
            raise BadInput("not a scored file", file=event.key)
        return Report(worker=worker, counts={"in": 1})

    function.calls(call)
    event = recorded("sqs-from-s3")
    answer = function.invoke("processScoredFiles", event)
    assert again(answer) == [event["Records"][1]["messageId"]]
    assert answer["reports"] == [{"count": {"in": 1}}]
    ignored = function.invoke("processScoredFiles", recorded("sqs-from-s3-test-event"))
    assert ignored == {"reports": [], "batchItemFailures": []}


@pytest.mark.parametrize("worker", WORKERS)
def test_an_answer_fits_whoever_asked(worker: str) -> None:
    """Of a report that is too large, the counts are told."""
    limit = MAX_STEP_BYTES if worker == "smsWaveSend" else MAX_RESPONSE_BYTES
    assert limit <= (256 * 1024 if worker == "smsWaveSend" else 6 * 1024 * 1024)
    fits = Report(worker=worker, counts={"in": 1}, details={"keys": "k" * (limit - 100)})
    large = Report(worker=worker, counts={"in": 1}, details={"keys": "k" * limit})
    assert build_response(worker, [fits]) == fits.to_json()
    assert build_response(worker, [large]) == {"count": {"in": 1}, "detailsLeftOut": True}
    assert len(json.dumps(build_response(worker, [fits]))) <= limit
    assert len(build_response(worker, [large, large])) == 2


def test_a_step_hands_on_its_cursor_untouched() -> None:
    """What the state machine reads is where it looks for it."""
    details = {"configKey": "smsWaves/scheduled/x_csv.json", "cursor": {"position": 3}}
    told = build_response(
        "smsWaveSend", [Report(worker="smsWaveSend", counts={"ok": 3}, details=details)]
    )
    assert told == {**details, "count": {"ok": 3}}
