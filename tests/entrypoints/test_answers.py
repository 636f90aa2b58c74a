"""Responses of functions: which messages failed, and how large a response may be."""

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
from tests.entrypoints.envelopes import load_event, sqs
from tests.entrypoints.functions import Function

MOVE: Final = "moveMergedAvroFiles"


def set_outcomes(function: Function, **outcomes: Exception | None) -> list[str]:
    """Give messages these outcomes by body; return the list of handled ids."""
    handled: list[str] = []

    def call(worker: str, message: QueueMessage) -> Report:
        handled.append(message.message_id)
        if error := outcomes[message.body]:
            raise error
        return Report(worker=worker, counts={"in": 1}, details={"period": message.body})

    function.calls(call)
    return handled


def again(answer: Any) -> list[str]:
    """Return the ids of the failed messages."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_the_response_to_one_message_is_its_report(function: Function) -> None:
    """The response also says that no message failed."""
    set_outcomes(function, a=None)
    assert function.invoke(MOVE, sqs("a")) == {
        "period": "a",
        "count": {"in": 1},
        "batchItemFailures": [],
    }


def test_only_failed_messages_are_delivered_again(function: Function) -> None:
    """Messages that succeeded are not delivered again; each failure is logged once."""
    set_outcomes(function, a=None, b=RetryLater("busy"), c=None, d=KeyError("x"))
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
    """The failure then counts as an error of the function."""
    set_outcomes(function, b=error)
    with pytest.raises(raised):
        function.invoke(MOVE, sqs(bodies))
    assert function.figures()["failed", MOVE] == [float(len(bodies))]


def test_a_fifo_queue_stops_at_the_first_failure(function: Function) -> None:
    """Messages behind the failed one are not handled before it."""
    handled = set_outcomes(function, a=None, b=RetryLater("busy"), c=None)
    answer = function.invoke(MOVE, sqs("abc", queue="moveMergedAvroQueue.fifo"))
    assert handled == ["m0", "m1"]
    assert again(answer) == ["m1", "m2"]


def test_an_invalid_message_fails_alone(function: Function) -> None:
    """It is retried until it is a dead letter; the others succeed."""
    event = load_event("sqs-fifo")
    event["Records"][1]["body"] = 7
    function.calls(lambda worker, event: Report(worker=worker, counts={}))
    assert again(function.invoke(MOVE, event)) == [event["Records"][1]["messageId"]]


def test_notifications_over_a_queue_fail_one_by_one(function: Function) -> None:
    """A message may contain several objects, or none."""

    def call(worker: str, event: Any) -> Report:
        if event.key == "scored/summer-tour.2.txt":
            raise BadInput("not a scored file", file=event.key)
        return Report(worker=worker, counts={"in": 1})

    function.calls(call)
    event = load_event("sqs-from-s3")
    answer = function.invoke("processScoredFiles", event)
    assert again(answer) == [event["Records"][1]["messageId"]]
    assert answer["reports"] == [{"count": {"in": 1}}]
    ignored = function.invoke("processScoredFiles", load_event("sqs-from-s3-test-event"))
    assert ignored == {"reports": [], "batchItemFailures": []}


@pytest.mark.parametrize("worker", WORKERS)
def test_a_response_fits_its_limit(worker: str) -> None:
    """A report that is too large keeps its counts."""
    limit = MAX_STEP_BYTES if worker == "smsWaveSend" else MAX_RESPONSE_BYTES
    assert limit <= (256 * 1024 if worker == "smsWaveSend" else 6 * 1024 * 1024)
    fits = Report(worker=worker, counts={"in": 1}, details={"keys": "k" * (limit - 100)})
    large = Report(worker=worker, counts={"in": 1}, details={"keys": "k" * limit})
    assert build_response(worker, [fits]) == fits.to_json()
    assert build_response(worker, [large]) == {"count": {"in": 1}, "detailsLeftOut": True}
    assert len(json.dumps(build_response(worker, [fits]))) <= limit
    assert len(build_response(worker, [large, large])) == 2


def test_a_step_returns_its_cursor_unchanged() -> None:
    """The cursor is at the top level, where the state machine reads it."""
    details = {"configKey": "smsWaves/scheduled/x_csv.json", "cursor": {"position": 3}}
    told = build_response(
        "smsWaveSend", [Report(worker="smsWaveSend", counts={"ok": 3}, details=details)]
    )
    assert told == {**details, "count": {"ok": 3}}
