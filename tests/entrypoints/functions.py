"""A function as it runs on AWS, with adapters in memory."""

import json
import logging
from collections.abc import Callable
from functools import partial
from io import StringIO
from typing import Any, Final

import attrs
from aws_lambda_powertools.logging.filters import SuppressFilter
from dependency_injector import providers

from campaign_workers.adapters.aws.cloudwatch import EmfMetrics
from campaign_workers.adapters.aws.lambda_deadline import LambdaDeadline
from campaign_workers.container import Container
from campaign_workers.entrypoints.handlers import lambda_handler
from campaign_workers.entrypoints.logs import SERVICE, JsonLogs

REQUEST_ID: Final = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@attrs.frozen
class Context:
    """The context that Lambda passes to a handler."""

    remaining_millis: int = 900_000
    aws_request_id: str = REQUEST_ID
    function_name: str = "cmp-any"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended."""
        return self.remaining_millis


class Traces:
    """Counts flushes of spans."""

    def __init__(self) -> None:
        self.flushed = 0

    def flush(self) -> None:
        """Count a flush."""
        self.flushed += 1


@attrs.define
class Function:
    """A function that tests invoke, with access to its log and metrics."""

    printed: Callable[[], str]
    container: Any = attrs.field(factory=lambda: Container("memory"))
    log: StringIO = attrs.field(factory=StringIO)

    def __attrs_post_init__(self) -> None:
        """Give the container what the profile of AWS has around an invocation."""
        _ = self.container.runtime
        self.container.settings = attrs.evolve(self.container.settings, profile="aws")
        self.container.wiring.metrics.override(providers.Object(EmfMetrics()))
        self.container.wiring.deadline.override(providers.Object(LambdaDeadline()))

    def invoke(self, worker: str, event: Any, context: object = Context()) -> Any:
        """Return the response of the function as JSON."""
        response = lambda_handler(worker, lambda: self.container)(event, context)
        return json.loads(json.dumps(response))

    def calls(self, call: Callable[[str, Any], Any]) -> None:
        """Replace the worker by `call`."""
        self.container.bind = lambda worker, event: (partial(call, worker), event)

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def figures(self) -> dict[tuple[str, ...], list[float]]:
        """The figures that were printed, by name and values of their dimensions."""
        found = {}
        for line in map(json.loads, self.printed().splitlines()):
            [directive] = line["_aws"]["CloudWatchMetrics"]
            [names] = directive["Dimensions"]
            for metric in directive["Metrics"]:
                place = (metric["Name"], *(line[name] for name in names))
                found[place] = line[metric["Name"]]
        return found


def install(log: StringIO) -> JsonLogs:
    """Install the log handlers of a function, which write to `log`."""
    return JsonLogs(log)


def uninstall(handlers: list[logging.Handler], level: int) -> None:
    """Restore handlers and levels."""
    root, ours = logging.getLogger(), logging.getLogger(SERVICE)
    root.handlers[:] = handlers
    ours.handlers.clear()
    ours.setLevel(level)
    for mark in [name for name in vars(ours) if name == "init" or name.startswith("powertools")]:
        delattr(ours, mark)
    for handler in handlers:
        handler.filters[:] = [own for own in handler.filters if not isinstance(own, SuppressFilter)]
