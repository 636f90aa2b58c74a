"""One invocation of a function: its time limit, its logs, its figures, and the calls between."""

import logging
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache
from time import perf_counter
from typing import Any, Final, Protocol, runtime_checkable

import attrs

from campaign_workers.domain.errors import CampaignError
from campaign_workers.domain.running.events import ObjectCreated, QueueMessage, StreamBatch
from campaign_workers.domain.running.reports import Report
from campaign_workers.entrypoints.answers import answer, answer_by_message
from campaign_workers.entrypoints.envelopes import Event, events, is_queue_batch

_log = logging.getLogger(__name__)


class Unforeseen(Exception):
    """Something else than an error of the domain.

    The runtime logs the text of whatever is raised, and the text of an unforeseen error may quote
    a fan's data; this one says where it happened, and what it was.
    """


@runtime_checkable
class Entered(Protocol):
    """A deadline that is told of each invocation."""

    def during(self, context: object) -> AbstractContextManager[None]:
        """Within this, the run ends when `context` says."""
        ...


@runtime_checkable
class Figures(Protocol):
    """Metrics that are told of each invocation."""

    def count(self, name: str, value: int, **dimensions: str) -> None:
        """Add to a counter."""
        ...

    def record_duration(self, worker: str, seconds: float) -> None:
        """Note how long a call took."""
        ...

    def invocation(self) -> AbstractContextManager[None]:
        """At the end of this, figures are handed on."""
        ...


Bound = Callable[..., AbstractContextManager[None]]
"""Adds keys to every line of the log, for as long as it is entered."""


def _unbound(**_: Any) -> AbstractContextManager[None]:
    return nullcontext()


@attrs.frozen(kw_only=True)
class Invocation:
    """Calls `worker` of `container` for an event of AWS; `figures` and `bound` are told of it."""

    container: Any
    worker: str
    figures: Figures | None = None
    bound: Bound = _unbound

    def __call__(self, event: Any) -> Any:
        """The answer of the function.

        Raises:
            CampaignError: whatever the worker raises.
            Unforeseen: anything else went wrong.
        """
        if is_queue_batch(event):
            return answer_by_message(event, self._handle)
        return answer(self.worker, self._handle(event))

    def _handle(self, event: Any) -> list[Report]:
        with self._watched():
            items = events(self.worker, event)
        return [self._call(item) for item in items]

    def _call(self, item: Event) -> Report:
        with self.bound(**_about(item)), self._watched():
            began = perf_counter()
            try:
                report: Report = self.container.call(self.worker, item)
            finally:
                lasted = perf_counter() - began
                if self.figures:
                    self.figures.record_duration(self.worker, lasted)
            campaign = _campaign(report.details)
            with self.bound(campaign=campaign) if campaign else nullcontext():
                told = {"count": dict(report.counts), "duration_ms": round(lasted * 1000)}
                _log.info("%s is done", self.worker, extra=told)
            return report

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Log an error once, with nothing of its values, and have AWS try again."""
        try:
            yield
        except Exception as error:
            if self.figures:
                self.figures.count("failed", 1, worker=self.worker)
            foreseen = isinstance(error, CampaignError)
            problem = str(error) if foreseen else f"unforeseen {type(error).__name__}"
            told = {"error_type": type(error).__name__, "stack": _places(error)}
            _log.error("%s failed: %s", self.worker, problem, extra=told)
            if foreseen:
                raise
            raise Unforeseen(f"{problem} at {(_places(error) or ['?'])[-1]}") from None


def invoke(container: Any, worker: str, event: Any, context: object) -> Any:
    """The answer of the function of `worker` to an event of AWS.

    Raises:
        CampaignError: whatever the worker raises.
        Unforeseen: anything else went wrong.
    """
    with ExitStack() as stack:
        deadline, metrics = container.wiring.deadline(), container.wiring.metrics()
        if container.traces:
            stack.callback(container.traces.flush)
        if isinstance(deadline, Entered):
            stack.enter_context(deadline.during(context))
        bound = _json_logs() if container.settings.profile == "aws" else _unbound
        stack.enter_context(bound(worker=worker, **_invocation(context)))
        figures = metrics if isinstance(metrics, Figures) else None
        if figures:
            stack.enter_context(figures.invocation())
            if next(_cold, False):
                figures.count("coldStart", 1, worker=worker)
        run = Invocation(container=container, worker=worker, figures=figures, bound=bound)
        return run(event)


@cache
def _json_logs() -> Bound:
    """One set of handlers a process."""
    from campaign_workers.entrypoints.logs import JsonLogs

    return JsonLogs().bound


_cold: Final = iter((True,))
"""Whether a process has had no invocation before: true once."""


def _invocation(context: object) -> dict[str, Any]:
    """Keys of the log that are those of the invocation."""
    request = getattr(context, "aws_request_id", None)
    name = getattr(context, "function_name", None)
    return {"function_name": name, "function_request_id": request, "correlation_id": request}


def _about(item: Event) -> dict[str, Any]:
    """Keys of the log that are those of a call; without one of its own, the request's id stays."""
    match item:
        case ObjectCreated():
            return {"correlation_id": item.key}
        case StreamBatch():
            return {"correlation_id": f"{item.shard}:{item.records[0].sequence}"}
        case QueueMessage():
            return {"correlation_id": item.message_id}
        case _:
            campaign = _campaign(item)
            return {"campaign": campaign} if campaign else {}


_CAMPAIGN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def _campaign(told: Mapping[str, Any]) -> str | None:
    """The campaign that a payload or a report names, if it is one."""
    name = told.get("campaignId")
    return name if isinstance(name, str) and _CAMPAIGN.fullmatch(name) else None


def _places(error: Exception) -> list[str]:
    """Where an error came from, the last place last: module, line, function."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
