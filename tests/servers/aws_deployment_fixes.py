"""What brings Ministack's deployments and clocks nearer to AWS's, or to a test's patience."""

import threading
import time
from types import SimpleNamespace
from typing import Any, Final

from ministack.services import eventbridge, lambda_svc, scheduler, stepfunctions
from ministack.services.cloudformation import provisioners

PACE: Final = 0.02
"""How long a second between two attempts of a state lasts here."""

_passed = SimpleNamespace(seconds=0.0)


def apply() -> None:
    """Make all the differences."""
    reserve_concurrency()
    hurry_attempts_of_state_machines()
    let_schedules_have_a_clock_of_their_own()


def reserve_concurrency() -> None:
    """A stack's functions run side by side as often as it says; Ministack overlooks that."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create, update = handlers["create"], handlers["update"]

    def create_and_reserve(logical_id: str, properties: Any, stack: str) -> Any:
        made = create(logical_id, properties, stack)
        _reserve(made[0], properties)
        return made

    def update_and_reserve(physical_id: str, old: Any, new: Any, *rest: Any, **named: Any) -> Any:
        made = update(physical_id, old, new, *rest, **named)
        _reserve(made[0], new)
        return made

    handlers["create"], handlers["update"] = create_and_reserve, update_and_reserve


def _reserve(function: str, properties: Any) -> None:
    reserved = properties.get("ReservedConcurrentExecutions")
    lambda_svc._functions[function]["concurrency"] = None if reserved is None else int(reserved)


def hurry_attempts_of_state_machines() -> None:
    """Minutes between attempts pass in seconds; a state that waits does so as long as it says."""
    wait = stepfunctions._execute_wait
    paces = threading.local()

    def sleep(seconds: float) -> None:
        time.sleep(seconds * getattr(paces, "pace", PACE))

    def wait_as_said(*given: Any) -> Any:
        paces.pace = 1.0
        try:
            return wait(*given)
        finally:
            del paces.pace

    stepfunctions._scaled_sleep = sleep
    stepfunctions._execute_wait = wait_as_said


def let_schedules_have_a_clock_of_their_own() -> None:
    """So that a test need not wait for ten o'clock."""

    def now() -> float:
        return time.time() + _passed.seconds

    eventbridge._now_ts = now
    scheduler.time = SimpleNamespace(time=now, sleep=time.sleep)


def pass_time(seconds: float) -> None:
    """Let so much time pass for the schedules, and start what falls due meanwhile.

    Like a clock that is put forward: what would have come several times comes once.
    """
    _tick()
    _passed.seconds += seconds
    _tick()


def _tick() -> None:
    eventbridge._tick_scheduled_rules()
    scheduler._tick_schedules()
