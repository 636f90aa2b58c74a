"""What an invocation adds to its worker: time limit, logs, metrics, errors."""

import math
from typing import Any, Final

import pytest

from campaign_workers.adapters.system.deadlines import Unlimited
from campaign_workers.container import Container
from campaign_workers.domain import errors
from campaign_workers.domain.errors import BadInput, CampaignError, RetryLater
from campaign_workers.domain.running.reports import Report
from campaign_workers.entrypoints.handlers import lambda_handler
from campaign_workers.entrypoints.invocations import UnexpectedError
from tests.entrypoints.envelopes import load_event
from tests.entrypoints.functions import REQUEST_ID, Context, Function, Traces

WHOLE: Final = {"in": 2, "out": 2, "rejected": 0, "duplicates": 0}
ADA: Final = "ada@example.org"

FORESEEN: Final = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, CampaignError)
]


def failing_worker(error: Exception) -> Any:
    """Return a worker that fails."""

    def call(worker: str, event: Any) -> Report:
        raise error

    return call


def test_the_response_is_the_report(function: Function) -> None:
    """The response of a function is the report of its worker."""
    answer = function.invoke("saveCampaignData", load_event("kinesis"))
    assert answer["count"] == WHOLE
    assert [key.startswith("avro/registration/2026/") for key in answer["files"]] == [True]


def test_a_call_is_one_line_of_the_log(function: Function) -> None:
    """The line has worker, ids, counts and duration."""
    function.invoke("saveCampaignData", load_event("kinesis"))
    [line] = function.lines()
    number = load_event("kinesis")["Records"][0]["kinesis"]["sequenceNumber"]
    told = {
        "level": "INFO",
        "message": "saveCampaignData is done",
        "worker": "saveCampaignData",
        "correlation_id": f"shardId-000000000006:{number}",
        "function_request_id": REQUEST_ID,
        "function_name": "cmp-any",
        "count": WHOLE,
    }
    assert {name: line[name] for name in told} == told
    assert line["duration_ms"] >= 0


@pytest.mark.parametrize(
    ("worker", "name", "correlation", "campaign"),
    [
        ("processScoredFiles", "s3-key-plus-and-percent", "scored/summer tour+100% café.txt", None),
        ("moveMergedAvroFiles", "sqs-standard", "059f36b4-87a3-44ab-83d2-661970000001", None),
        ("smsWaveSend", "step-first", REQUEST_ID, None),
        ("saveStats", "eventbridge-rule", REQUEST_ID, None),
        ("processSmsWaveFiles", "invoke-prepare-wave", REQUEST_ID, "summer-tour"),
    ],
)
def test_a_line_leads_back_to_its_event(
    function: Function, worker: str, name: str, correlation: str, campaign: str | None
) -> None:
    """The correlation id is the object key, the message id, or else the request id."""
    function.calls(lambda worker, event: Report(worker=worker, counts={}))
    function.invoke(worker, load_event(name))
    [line] = function.lines()
    assert (line["correlation_id"], line.get("campaign")) == (correlation, campaign)


@pytest.mark.parametrize(
    ("named", "told"), [("summer-tour", "summer-tour"), (ADA, None), (7, None), (None, None)]
)
def test_a_report_names_its_campaign(function: Function, named: Any, told: str | None) -> None:
    """Only a valid campaign id is logged."""
    details = {"campaignId": named}
    function.calls(lambda worker, event: Report(worker=worker, counts={}, details=details))
    function.invoke("processScheduledWave", load_event("invoke-assign-codes"))
    [line] = function.lines()
    assert line.get("campaign") == told


def test_metrics_are_written_once_per_invocation(function: Function) -> None:
    """Metrics have the counts of the report, the duration and the breakdown by type."""
    function.invoke("saveCampaignData", load_event("kinesis"))
    first = function.figures()
    worker = "saveCampaignData"
    assert {name: first[name, worker] for name in WHOLE} == {
        name: [float(value)] for name, value in WHOLE.items()
    }
    assert first["out", "inputStream", "registration", worker] == [2.0]
    assert len(first["duration", worker]) == 1
    assert first["coldStart", worker] == [1.0]
    function.invoke("saveCampaignData", load_event("kinesis-fan-out"))
    second = function.figures()
    assert second["in", worker] == [1.0]
    assert ("coldStart", worker) not in second
    assert ("failed", worker) not in first | second


@pytest.mark.parametrize("kind", FORESEEN)
def test_an_error_of_the_domain_is_raised_unchanged(
    function: Function, kind: type[CampaignError]
) -> None:
    """The state machine decides by its class; it is logged once and counted."""
    function.calls(failing_worker(kind("scored/x.txt: busy")))
    with pytest.raises(kind) as raised:
        function.invoke("saveStats", {})
    assert type(raised.value) is kind
    [line] = function.lines()
    assert (line["level"], line["error_type"]) == ("ERROR", kind.__name__)
    assert line["message"] == f"saveStats failed: {raised.value}"
    assert line["stack"][-1].endswith(" call")
    figures = function.figures()
    assert figures["failed", "saveStats"] == [1.0]
    assert len(figures["duration", "saveStats"]) == 1


@pytest.mark.parametrize("error", [KeyError(ADA), ValueError(ADA), MemoryError(), OSError(28, ADA)])
def test_an_unexpected_message_is_dropped(function: Function, error: Exception) -> None:
    """Lambda logs the error that is raised, so its message quotes no value."""
    error.__cause__ = RuntimeError(ADA)
    function.calls(failing_worker(error))
    with pytest.raises(UnexpectedError) as raised:
        function.invoke("saveStats", {})
    assert str(raised.value).startswith(f"unexpected {type(error).__name__} at ")
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert ADA not in function.log.getvalue() + str(raised.value) + str(raised.value.args)
    [line] = function.lines()
    assert line["error_type"] == type(error).__name__


def test_an_envelope_that_cannot_be_read_is_logged_too(function: Function) -> None:
    """A refused envelope is logged and counted."""
    with pytest.raises(BadInput, match="'Records'"):
        function.invoke("saveCampaignData", {})
    [line] = function.lines()
    assert (line["error_type"], line["correlation_id"]) == ("BadInput", REQUEST_ID)
    assert function.figures()["failed", "saveCampaignData"] == [1.0]


def test_several_objects_are_several_calls(function: Function) -> None:
    """Each object has a report; the first failure fails the invocation."""
    calls = [Report(worker="translateRanksToScores", counts={"in": number}) for number in (1, 2)]
    function.calls(lambda worker, event: calls.pop())
    answer = function.invoke("translateRanksToScores", load_event("s3-several"))
    assert answer == [{"count": {"in": 2}}, {"count": {"in": 1}}]
    figures = function.figures()
    assert figures["in", "translateRanksToScores"] == [3.0]
    assert len(figures["duration", "translateRanksToScores"]) == 2


def test_the_response_to_a_skipped_event_is_empty(function: Function) -> None:
    """The test event of a bucket calls no worker."""
    function.calls(failing_worker(AssertionError()))
    assert function.invoke("processScoredFiles", load_event("s3-test-event")) == []
    assert "s3:TestEvent" in function.lines()[0]["message"]


def test_a_worker_knows_when_it_is_ended(function: Function) -> None:
    """The time limit is that of the current invocation."""
    deadline = function.container.deadline
    left = []

    def call(worker: str, event: Any) -> Report:
        left.append(deadline.remaining_seconds())
        return Report(worker=worker, counts={})

    function.calls(call)
    function.invoke("smsWaveSend", load_event("step-first"), Context(5_000))
    function.invoke("smsWaveSend", load_event("step-first"), Context(250))
    function.invoke("smsWaveSend", load_event("step-first"), None)
    assert left == [5, 0.25, math.inf]
    assert deadline.remaining_seconds() == math.inf


def test_spans_are_sent_even_after_an_error(function: Function) -> None:
    """Spans are sent before Lambda freezes the process."""
    function.container.traces = traces = Traces()
    function.calls(lambda worker, event: Report(worker=worker, counts={}))
    function.invoke("saveStats", {})
    assert traces.flushed == 1
    function.calls(failing_worker(RetryLater("busy")))
    with pytest.raises(RetryLater):
        function.invoke("saveStats", {})
    assert traces.flushed == 2


def test_other_profiles_add_nothing_to_a_worker(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A handler on embedded adapters prints nothing and has no time limit."""
    container = Container("memory")
    assert isinstance(container.deadline, Unlimited)
    answer = lambda_handler("saveCampaignData", lambda: container)(load_event("kinesis"), None)
    assert answer["count"] == WHOLE
    assert capsys.readouterr() == ("", "")
