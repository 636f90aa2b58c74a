"""What brings Ministack's asynchronous invocations nearer to AWS's."""

import contextvars
import json
import threading
import time
from itertools import count
from typing import Any, Final

from ministack.core import persistence
from ministack.services import eventbridge, lambda_svc

from tests.servers.aws_destinations import send

STATE: Final = "asynchronous-invocations"
ATTEMPTS: Final = 3
"""What AWS makes of an event unless the function's configuration says otherwise."""
PAUSE_SECONDS: Final = 0.2
"""A minute on AWS."""

_accepted: dict[int, tuple[str, Any]] = {}
"""Events that have been accepted and are not done yet, with the name of their function."""
_numbers = count()


def apply() -> None:
    """Make all the differences."""
    lambda_svc.invoke_async_with_retry = invoke
    eventbridge._dispatch_to_lambda = invoke_by_rule


def invoke(func: Any, event: Any) -> None:
    """Accept an event; it outlives a restart, and waiting for capacity is no attempt."""
    number = next(_numbers)
    _accepted[number] = (func["config"]["FunctionName"], event)

    def work() -> None:
        _attempt(func, event)
        del _accepted[number]

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_scoped, func, work), daemon=True).start()


def invoke_by_rule(arn: str, payload: Any) -> None:
    """Schedules and rules invoke as everything asynchronous does; Ministack tries them once."""
    func, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if func and config:
        record = lambda_svc._execution_record_for_config(func, config)
        lambda_svc.invoke_async_with_retry(record, json.loads(payload))


def accepted() -> dict[str, Any]:
    """What a restart has to take up again."""
    return {"events": list(_accepted.values())}


def take_up() -> None:
    """Invoke again what was accepted before the restart."""
    for name, event in (persistence.load_state(STATE) or {}).get("events", ()):
        for key, func in list(lambda_svc._functions._data.items()):
            if key[-1] == name:
                invoke(func, event)


def _scoped(func: Any, work: Any) -> None:
    lambda_svc._run_with_function_config_scope(func, work)


def _attempt(func: Any, event: Any) -> None:
    settings = func.get("event_invoke_config") or (func.get("event_invoke_configs") or {}).get(
        "$LATEST", {}
    )
    retries = settings.get("MaximumRetryAttempts")
    attempts = ATTEMPTS if retries is None else int(retries) + 1
    made = 0
    while True:
        result = lambda_svc._execute_function(func, event)
        if not result.get("error"):
            return
        made += not result.get("throttle")
        if made >= attempts:
            break
        time.sleep(PAUSE_SECONDS * 2 ** max(made - 1, 0))
    _give_up(func, settings, event, result, made)


def _give_up(func: Any, settings: Any, event: Any, result: Any, made: int) -> None:
    """Tell the destination what failed and how, and the dead-letter queue the bare event."""
    config = func["config"]
    destination = (settings.get("DestinationConfig") or {}).get("OnFailure") or {}
    if target := destination.get("Destination"):
        context = {
            "functionArn": f"{config['FunctionArn']}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": made,
        }
        send(
            target,
            {
                "version": "1.0",
                "requestContext": context,
                "requestPayload": event,
                "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
                "responsePayload": result.get("body"),
            },
        )
    if queue := (config.get("DeadLetterConfig") or {}).get("TargetArn"):
        send(queue, event)
