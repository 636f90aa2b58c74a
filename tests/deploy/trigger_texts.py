"""A trigger in words: what a page of `docs/workers` says in its row `trigger`."""

import json
from collections.abc import Iterable
from functools import singledispatch

from campaign_workers.domain.running.triggers import (
    InvokeTrigger,
    ObjectTrigger,
    QueueTrigger,
    ScheduleTrigger,
    StreamTrigger,
    Trigger,
    WorkflowTrigger,
)


def described(triggers: Iterable[Trigger]) -> str:
    """All the triggers of a worker, in one line."""
    return "; ".join(f"{_source(trigger)}, {_attempts(trigger)}" for trigger in triggers)


def _attempts(trigger: Trigger) -> str:
    return "1 attempt" if trigger.attempts == 1 else f"{trigger.attempts} attempts"


@singledispatch
def _source(trigger: Trigger) -> str:
    raise NotImplementedError(trigger)


@_source.register
def _(trigger: ObjectTrigger) -> str:
    return f"object `{trigger.prefix}*{trigger.suffix}` in `{trigger.bucket}`"


@_source.register
def _(trigger: StreamTrigger) -> str:
    only = f", only `{trigger.record_type}`" if trigger.record_type else ""
    halved = ", halved when it fails" if trigger.bisect else ""
    return f"stream `{trigger.stream}`{only}, {trigger.batch_size} a batch{halved}"


@_source.register
def _(trigger: QueueTrigger) -> str:
    return f"queue `{trigger.queue}`, {trigger.batch_size} a batch"


@_source.register
def _(trigger: ScheduleTrigger) -> str:
    payload = f" with `{json.dumps(trigger.payload)}`" if trigger.payload else ""
    return f"schedule `{trigger.schedule}`{payload}"


@_source.register
def _(trigger: InvokeTrigger) -> str:
    return f"call by {trigger.caller}"


@_source.register
def _(trigger: WorkflowTrigger) -> str:
    return f"step of `{trigger.workflow}`"
