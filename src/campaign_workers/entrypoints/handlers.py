"""What all Lambda handlers share: one container a process, and an invocation around each event."""

from collections.abc import Callable
from functools import cache
from typing import Any

from campaign_workers.entrypoints.invocations import invoke
from campaign_workers.settings import environment

Handler = Callable[[Any, object], Any]


@cache
def _made(_: frozenset[tuple[str, str]]) -> Any:
    """The container of an environment, made when its first event comes."""
    from campaign_workers.container import Container

    return Container()


def _container() -> Any:
    return _made(environment())


def lambda_handler(worker: str) -> Handler:
    """The Lambda handler of a worker; its answer is the worker's report, or one an object."""

    def handler(event: Any, context: object) -> Any:
        """Run the worker on an event of AWS."""
        return invoke(_container(), worker, event, context)

    return handler
