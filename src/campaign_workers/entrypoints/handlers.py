"""What all Lambda handlers share: one container for the process, and one invocation per event."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from campaign_workers.entrypoints.invocations import invocation
from campaign_workers.settings import environment
from campaign_workers.worker_library.metrics import run_worker

if TYPE_CHECKING:
    from campaign_workers.container import Container

Handler = Callable[[Any, object], Any]


@cache
def _container_for(_: frozenset[tuple[str, str]]) -> "Container":
    """Return the container of an environment; it is built at the first event."""
    from campaign_workers.container import Container

    return Container()


def process_container() -> "Container":
    """Return the container that all handlers of this process share.

    A new one is built when a variable of this package has changed.
    """
    return _container_for(environment())


def lambda_handler(
    worker: str, container: Callable[[], "Container"] = process_container
) -> Handler:
    """Return the Lambda handler of a worker.

    The handler calls `run_worker`, which calls the worker, with no other frame of this package
    in between.
    """

    def handler(event: Any, context: object) -> Any:
        """Run the worker on an event of AWS, and return its report, or one report per object."""
        wired = container()
        with invocation(wired, worker, context) as current:
            for call in current.calls(event):
                with call:
                    run, request = wired.bind(worker, call.event)
                    call.report = run_worker(run, request, wired.metrics)
            return current.response()

    return handler
