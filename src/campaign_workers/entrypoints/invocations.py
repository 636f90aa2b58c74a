"""One invocation of a Lambda function: time limit, logs, metrics, calls and response.

An invocation hands out one `Call` for each time that the worker is to be called. A call is a
context: leaving it logs and times the call, and decides what becomes of an error.
"""

import json
import logging
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, runtime_checkable

import attrs

from campaign_workers.domain.errors import CampaignError
from campaign_workers.domain.running.events import ObjectCreated, QueueMessage, StreamBatch
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import TRIGGERS, WorkflowTrigger
from campaign_workers.entrypoints.envelopes import Event, events, is_queue_batch

if TYPE_CHECKING:
    from campaign_workers.container import Container

MAX_RESPONSE_BYTES: Final = 6 * 1024 * 1024 - 64 * 1024
"""The response limit of Lambda, less what wraps the response."""
MAX_STEP_BYTES: Final = 256 * 1024 - 16 * 1024
"""The limit of what Step Functions passes between steps, less the rest of the state."""

_WORKFLOW_WORKERS: Final = {kind.worker for kind in TRIGGERS if isinstance(kind, WorkflowTrigger)}
_CAMPAIGN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_cold: Final = iter((True,))
"""True for the first invocation of the process, exhausted afterwards."""
_log = logging.getLogger(__name__)


class UnexpectedError(Exception):
    """Any error that this package does not raise on purpose.

    The runtime logs the message of whatever is raised, and the message of an unexpected error may
    quote a fan's data. This one names only the class of the error and its place in the code.
    """


@runtime_checkable
class InvocationDeadline(Protocol):
    """A deadline that depends on the invocation."""

    def during(self, context: object) -> AbstractContextManager[None]:
        """Return a context in which the run ends when the context of Lambda ends it."""
        ...


@runtime_checkable
class InvocationMetrics(Protocol):
    """Metrics that are written at the end of an invocation."""

    def count(self, name: str, value: int, **dimensions: str) -> None:
        """Add to a counter."""
        ...

    def record_duration(self, worker: str, seconds: float) -> None:
        """Record how long a call took."""
        ...

    def invocation(self) -> AbstractContextManager[None]:
        """Return a context that writes the metrics when it ends."""
        ...


LogContext = Callable[..., AbstractContextManager[None]]
"""Returns a context in which every log line has the given keys."""


def _no_log_keys(**_: Any) -> AbstractContextManager[None]:
    return nullcontext()


@attrs.define(kw_only=True)
class Invocation:
    """The calls of `worker` for one event of AWS, and the response that their reports make."""

    worker: str
    metrics: InvocationMetrics | None = None
    log_context: LogContext = _no_log_keys
    reports: list[Report] = attrs.field(factory=list, init=False)
    _queue_batch: int = attrs.field(default=0, init=False)
    _failed_messages: list[str] = attrs.field(factory=list, init=False)
    _first_error: Exception | None = attrs.field(default=None, init=False)

    def calls(self, event: Any) -> Iterator["Call"]:
        """Yield a call for each object, batch, message or payload of the event, in order.

        Messages of a queue fail one by one. After a failure in a FIFO queue, the messages behind
        it are not handled, so that they are delivered again in order.

        Raises:
            CampaignError: the event is not one that starts the worker.
            UnexpectedError: it cannot be read for another reason.
        """
        if not is_queue_batch(event):
            with self.watch():
                items = events(self.worker, event)
            for item in items:
                yield Call(invocation=self, event=item)
            return
        messages = event["Records"]
        self._queue_batch = len(messages)
        is_fifo = str(messages[0].get("eventSourceARN")).endswith(".fifo")
        for message in messages:
            if is_fifo and self._failed_messages:
                self._failed_messages.append(_message_id(message))
            else:
                yield from self._calls_of_message(message)

    def response(self) -> Any:
        """Return the report of the call, or a list of reports if there were none or several.

        For messages of a queue, also return which of them failed; only those are delivered again.
        Too large a response leaves out the details of the reports, never their counts.

        Raises:
            Exception: every message of the batch failed; this is the first error.
        """
        if not self._queue_batch:
            return build_response(self.worker, self.reports)
        if self._first_error and len(self._failed_messages) == self._queue_batch:
            raise self._first_error
        reports = [report.to_json() for report in self.reports]
        single = len(reports) == self._queue_batch == 1
        failures = [{"itemIdentifier": message_id} for message_id in self._failed_messages]
        body = reports[0] if single else {"reports": reports}
        return {**body, "batchItemFailures": failures}

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Log and count an error; replace an unexpected one, whose message may be personal.

        Raises:
            CampaignError: the error, if it is one of ours.
            UnexpectedError: in place of any other error.
        """
        try:
            yield
        except Exception as error:
            if self.metrics:
                self.metrics.count("failed", 1, worker=self.worker)
            places = _places(error)
            is_expected = isinstance(error, CampaignError)
            problem = str(error) if is_expected else f"unexpected {type(error).__name__}"
            keys = {"error_type": type(error).__name__, "stack": places}
            _log.error("%s failed: %s", self.worker, problem, extra=keys)
            if is_expected:
                raise
            raise UnexpectedError(f"{problem} at {(places or ['?'])[-1]}") from None

    def _calls_of_message(self, message: Any) -> Iterator["Call"]:
        """Yield the calls of one message; the first failure ends it."""
        try:
            with self.watch():
                items = events(self.worker, {"Records": [message]})
        except (CampaignError, UnexpectedError) as error:
            self._fail_message(message, error)
            return
        for item in items:
            call = Call(invocation=self, event=item, keeps_error=True)
            yield call
            if call.error:
                self._fail_message(message, call.error)
                return

    def _fail_message(self, message: Any, error: Exception) -> None:
        self._first_error = self._first_error or error
        self._failed_messages.append(_message_id(message))


@attrs.define(kw_only=True)
class Call:
    """One call of the worker: a context that expects `report` to be set before it ends.

    With `keeps_error` an error ends up in `error` and is not raised.
    """

    invocation: Invocation
    event: Event
    keeps_error: bool = False
    report: Report | None = attrs.field(default=None, init=False)
    error: Exception | None = attrs.field(default=None, init=False)
    _began: float = attrs.field(default=0.0, init=False)
    _contexts: ExitStack = attrs.field(factory=ExitStack, init=False)

    def __enter__(self) -> Self:
        """Add the keys of the event to the log, and start the clock."""
        self._contexts.enter_context(self.invocation.log_context(**_log_keys(self.event)))
        self._contexts.enter_context(self.invocation.watch())
        self._began = perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Record the duration, then log the report or the error."""
        seconds = perf_counter() - self._began
        if self.invocation.metrics:
            self.invocation.metrics.record_duration(self.invocation.worker, seconds)
        if self.report:
            self._log_report(self.report, seconds)
        self.error = error if isinstance(error, CampaignError) else None
        try:
            self._contexts.__exit__(kind, error, trace)
        except UnexpectedError as unexpected:
            self.error = unexpected
            if not self.keeps_error:
                raise
        return self.keeps_error and self.error is not None

    def _log_report(self, report: Report, seconds: float) -> None:
        self.invocation.reports.append(report)
        campaign = _campaign_id(report.details)
        with self.invocation.log_context(campaign=campaign) if campaign else nullcontext():
            keys = {"count": dict(report.counts), "duration_ms": round(seconds * 1000)}
            _log.info("%s is done", self.invocation.worker, extra=keys)


@contextmanager
def invocation(container: "Container", worker: str, context: object) -> Iterator[Invocation]:
    """Set the time limit, logs and metrics of one invocation, whose context Lambda passes.

    When it ends, metrics are written and spans are sent, even if it failed.
    """
    with ExitStack() as stack:
        deadline, metrics = container.deadline, container.metrics
        if container.traces:
            stack.callback(container.traces.flush)
        if isinstance(deadline, InvocationDeadline):
            stack.enter_context(deadline.during(context))
        log_context = _json_logs() if container.settings.profile == "aws" else _no_log_keys
        stack.enter_context(log_context(worker=worker, **_invocation_keys(context)))
        written = metrics if isinstance(metrics, InvocationMetrics) else None
        if written:
            stack.enter_context(written.invocation())
            if next(_cold, False):
                written.count("coldStart", 1, worker=worker)
        yield Invocation(worker=worker, metrics=written, log_context=log_context)


def build_response(worker: str, reports: Sequence[Report]) -> Any:
    """Return the report of a call, or a list of reports if there are none or several.

    Too large a response leaves out the details of the reports and says so; it keeps their counts.
    """
    bodies = [report.to_json() for report in reports]
    limit = MAX_STEP_BYTES if worker in _WORKFLOW_WORKERS else MAX_RESPONSE_BYTES
    if len(json.dumps(bodies)) > limit:
        bodies = [{"count": dict(report.counts), "detailsLeftOut": True} for report in reports]
    return bodies[0] if len(bodies) == 1 else bodies


@cache
def _json_logs() -> LogContext:
    """Return the log context of the process; its handlers are installed once."""
    from campaign_workers.entrypoints.logs import JsonLogs

    return JsonLogs().with_keys


def _invocation_keys(context: object) -> dict[str, Any]:
    """Return the log keys of an invocation."""
    request = getattr(context, "aws_request_id", None)
    name = getattr(context, "function_name", None)
    return {"function_name": name, "function_request_id": request, "correlation_id": request}


def _log_keys(event: Event) -> dict[str, Any]:
    """Return the log keys of a call; without an id of its own, the id of the request stays."""
    match event:
        case ObjectCreated():
            return {"correlation_id": event.key}
        case StreamBatch():
            return {"correlation_id": f"{event.shard}:{event.records[0].sequence}"}
        case QueueMessage():
            return {"correlation_id": event.message_id}
        case _:
            campaign = _campaign_id(event)
            return {"campaign": campaign} if campaign else {}


def _campaign_id(document: Mapping[str, Any]) -> str | None:
    """Return the campaign id of a payload or a report, None if there is no valid one."""
    name = document.get("campaignId")
    return name if isinstance(name, str) and _CAMPAIGN.fullmatch(name) else None


def _message_id(message: Any) -> str:
    return str(message.get("messageId")) if isinstance(message, Mapping) else ""


def _places(error: Exception) -> list[str]:
    """Return file, line and function of each frame that an error passed, innermost last."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
