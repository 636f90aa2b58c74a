"""What answers an operation."""

from collections.abc import Awaitable, Callable, Mapping
from inspect import iscoroutinefunction
from typing import cast

from starlette.concurrency import run_in_threadpool

from campaign_workers.domain.errors import CampaignError
from campaign_workers.doubles.problems import Reply, translated
from campaign_workers.doubles.requests import Asked

Handler = Callable[[Asked], Reply] | Callable[[Asked], Awaitable[Reply]]
Handlers = Mapping[str, Handler]
"""By the id of the operation."""


async def handled(handler: Handler, asked: Asked) -> Reply:
    """The handler's answer; what blocks runs in a thread, so that requests meet as they would.

    Raises:
        Problem: the service refuses or fails.
    """
    try:
        if iscoroutinefunction(handler):
            return cast(Reply, await handler(asked))
        return await run_in_threadpool(cast(Callable[[Asked], Reply], handler), asked)
    except CampaignError as error:
        raise translated(error) from None
