"""How the emulator ends without warning, and what is there when it starts again.

Ministack writes its state when it is asked to end, and only then. AWS keeps what it has
acknowledged, whatever happens: a power cut here stops every answer first, then writes the state,
then ends. What was acknowledged is kept; what was under way may or may not be.
"""

import os
import signal
import threading
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Final

from ministack.core import lambda_runtime, persistence
from ministack.core.responses import _request_account_id, _request_region
from ministack.services import stepfunctions

from tests.servers import aws_async_fixes

_powered = threading.Event()
_powered.set()
ATTEMPTS: Final = 20


def apply() -> None:
    """Let nothing that functions do count after a power cut, and go on afterwards."""
    let_no_function_answer_without_power()
    write_what_has_no_service_of_its_own()


def power_cut() -> None:
    """End this process and its functions at once; to be called where answers are given from."""
    _powered.clear()
    for pool in list(lambda_runtime._workers.values()):
        for worker in pool:
            if worker._proc is not None:
                worker._proc.kill()
    write_state()
    os.kill(os.getpid(), signal.SIGKILL)


def write_state() -> None:
    """Write the state of all services."""
    from ministack.app import _build_persistence_save_dict

    persistence.save_all(
        {name: _settled(state) for name, state in _build_persistence_save_dict().items()}
    )


def _settled(state: Any) -> Any:
    """`state`, asked again while a thread that still runs changes it."""

    def ask() -> Any:
        for _ in range(ATTEMPTS):
            with suppress(RuntimeError):
                return state()
        return state()

    return ask


def let_no_function_answer_without_power() -> None:
    """The end of a killed process must not look like a failure of the function."""
    invoke = lambda_runtime.Worker.invoke

    def powered(*given: Any, **named: Any) -> Any:
        _powered.wait()
        result = invoke(*given, **named)
        _powered.wait()
        return result

    lambda_runtime.Worker.invoke = powered


def write_what_has_no_service_of_its_own() -> None:
    """Accepted events are kept, and executions go on, from their first state."""
    import ministack.app as app

    states, load = app._build_persistence_save_dict, app._load_persisted_state

    def all_states() -> Any:
        return states() | {aws_async_fixes.STATE: aws_async_fixes.accepted}

    def load_and_go_on() -> None:
        load()
        aws_async_fixes.take_up()
        for (account, region, arn), execution in list(stepfunctions._executions._data.items()):
            if execution.get("error") == "States.ServiceRestart":
                _go_on(account, region, arn, execution)

    app._build_persistence_save_dict = all_states
    app._load_persisted_state = load_and_go_on


def _go_on(account: str, region: str, arn: str, execution: Any) -> None:
    for name in ("error", "cause", "stopDate"):
        execution.pop(name)
    execution["status"] = "RUNNING"

    def run() -> None:
        _request_account_id.set(account)
        _request_region.set(region)
        stepfunctions._run_execution(arn)

    threading.Thread(target=copy_context().run, args=(run,), daemon=True).start()
