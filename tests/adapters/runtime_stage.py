"""Scripted workers for tests of the embedded runtime, and the payloads they received."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from campaign_workers.adapters.local.journal import DeadLetter, Journal, Run
from campaign_workers.adapters.local.runtime import Runtime, Subscription
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.streams import MemoryMessageQueue, MemoryRecordStream
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.memory.workflow import MemoryWorkflowStarter
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.running.events import StreamBatch
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import Trigger
from campaign_workers.ports.object_store import ObjectInfo

NOON: Final = datetime(2026, 5, 4, 12, tzinfo=UTC)
STREAM, QUEUE, BUCKET = "stream", "queue", "bucket"

Act = Callable[[Any], Report]


class Killed(BaseException):
    """The process ended here; no runtime can catch it by catching errors."""


def report(worker: str = "worker", **details: Any) -> Report:
    """A run that went well."""
    return Report(worker=worker, counts={"in": 1, "out": 1}, details=details)


@attrs.define(kw_only=True)
class Stage:
    """`act` is what the worker does; every call of it is in `calls`, its moment in `times`."""

    triggers: Sequence[Trigger]
    act: Act = attrs.field(default=lambda event: report())
    calls: list[tuple[str, Any]] = attrs.field(factory=list)
    times: list[datetime] = attrs.field(factory=list)
    observed: list[Run] = attrs.field(factory=list)
    clock: SteppedClock = attrs.field(factory=lambda: SteppedClock(NOON))
    tables: Callable[[str], Any] = attrs.field(factory=DictTables)
    stream: MemoryRecordStream = attrs.field(init=False)
    queue: MemoryMessageQueue = attrs.field(init=False)
    bucket: MemoryObjectStore = attrs.field(init=False)
    workflow: MemoryWorkflowStarter = attrs.field(init=False)
    runtime: Runtime = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Set the scene."""
        self.stream = MemoryRecordStream(self.clock, name=STREAM)
        self.queue = MemoryMessageQueue(self.clock, name=QUEUE)
        self.workflow = MemoryWorkflowStarter(self.clock)
        self.bucket = MemoryObjectStore(self.clock)
        self.bucket.on_created(self._created)
        self.runtime = self.another_process()

    def another_process(self, *subscriptions: Subscription) -> Runtime:
        """A runtime that goes on with what this one left."""
        self.runtime = Runtime(
            call=self._call,
            journal=Journal(self.tables),
            streams={STREAM: self.stream},
            queues={QUEUE: self.queue},
            workflow=self.workflow,
            clock=self.clock,
            triggers=self.triggers,
            subscriptions=subscriptions,
            observe=self.observed.append,
        )
        return self.runtime

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """What was given up."""
        return self.runtime.journal.dead_letters()

    def events(self) -> list[Any]:
        """What the worker was called with."""
        return [event for _, event in self.calls]

    def batches(self) -> list[list[bytes]]:
        """The data of the batches that it was called with."""
        return [data(event) for event in self.events()]

    def _call(self, worker: str, event: Any) -> Report:
        self.calls.append((worker, event))
        self.times.append(self.clock.now())
        return self.act(event)

    def _created(self, info: ObjectInfo) -> None:
        self.runtime.object_created(BUCKET, info)


def data(batch: StreamBatch) -> list[bytes]:
    """What the records of a batch say."""
    return [record.data for record in batch.records]


def failing(error: BaseException, *, times: int = 10**6) -> Act:
    """Fail the given number of times, then succeed."""
    left = [times]

    def act(_: Any) -> Report:
        if left[0]:
            left[0] -= 1
            raise error
        return report()

    return act
