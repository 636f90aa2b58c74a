"""What all Lambda handlers share: translate the event, ask the container, return."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from campaign_workers.entrypoints.envelopes import events

Handler = Callable[[Mapping[str, Any], object], Any]


@cache
def _container() -> Any:
    """One container a process, made when the first event comes."""
    from campaign_workers.container import Container

    return Container()


def lambda_handler(worker: str) -> Handler:
    """The Lambda handler of a worker; its answer is the worker's report, or one an object."""

    def handler(event: Mapping[str, Any], context: object) -> Any:
        """Run the worker on an event of AWS."""
        reports = [_container().call(worker, item).wire() for item in events(worker, event)]
        return reports[0] if len(reports) == 1 else reports

    return handler
