"""The embedded runtime: what AWS does between workers, on one machine and deterministically.

Objects under a trigger's prefix, records on streams, queue messages, schedules and executions of
the state machine call workers as the trigger table says, at least once, with as many attempts as
it says; what fails at all of them is kept as a dead letter. Workers never call each other.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

import attrs

from campaign_workers.adapters.local.journal import DeadLetter, Journal, Run
from campaign_workers.adapters.local.schedules import firings
from campaign_workers.domain.errors import CampaignError
from campaign_workers.domain.events import ObjectCreated, QueueMessage, StreamBatch, StreamRecord
from campaign_workers.domain.reports import Report
from campaign_workers.domain.triggers import (
    TRIGGERS,
    ObjectTrigger,
    QueueTrigger,
    ScheduleTrigger,
    StreamTrigger,
    Trigger,
    WorkflowTrigger,
)
from campaign_workers.ports.object_store import ObjectInfo
from campaign_workers.ports.system import Clock

_Kind = TypeVar("_Kind")


class _ReadableStream(Protocol):
    """The consumers' side of a stream."""

    def shards(self) -> Sequence[str]: ...
    def read(self, shard: str, *, after: str | None, limit: int) -> tuple[StreamRecord, ...]: ...


class _ReceivedMessage(Protocol):
    """A message under way, and how often it was received."""

    message_id: str
    body: str
    receive_count: int


class _ReceivableQueue(Protocol):
    """The consumers' side of a queue."""

    def receive(self, limit: int, *, visibility_seconds: float) -> Sequence[_ReceivedMessage]: ...
    def delete(self, message_id: str) -> None: ...


class _StartedWorkflows(Protocol):
    """Executions that were started, oldest first."""

    def executions(self) -> Sequence[tuple[str, Mapping[str, Any], datetime]]: ...


@attrs.frozen(kw_only=True)
class Subscription:
    """Another team's consumer of a stream, called like a worker but kept out of the books."""

    name: str
    stream: str
    consume: Callable[[StreamBatch], object]
    batch_size: int = 1000


def _nothing(run: Run) -> None:
    """Observe nothing."""


@attrs.define(kw_only=True)
class Runtime:
    """Delivers what happened to whom it concerns, until nothing is left to deliver.

    `call` runs a worker by its name; `observe` sees every successful run.
    """

    call: Callable[[str, Any], Report]
    journal: Journal
    streams: Mapping[str, _ReadableStream]
    queues: Mapping[str, _ReceivableQueue]
    workflow: _StartedWorkflows
    clock: Clock
    subscriptions: Sequence[Subscription] = ()
    triggers: Sequence[Trigger] = TRIGGERS
    observe: Callable[[Run], None] = _nothing
    retry_seconds: float = 1.0

    def object_created(self, bucket: str, info: ObjectInfo) -> None:
        """Note that an object was written; its workers are called by `run_until_idle`."""
        for trigger in self._of(ObjectTrigger):
            if (
                trigger.bucket == bucket
                and info.key.startswith(trigger.prefix)
                and info.key.endswith(trigger.suffix)
            ):
                self.journal.expect(
                    trigger.worker, {"bucket": bucket, "key": info.key, "etag": info.etag}
                )

    def run_until_idle(self) -> None:
        """Deliver until no object, record, message or execution is left."""
        while any([self._objects(), self._records(), self._messages(), self._executions()]):
            pass

    def advance(self, until: datetime) -> None:
        """Sleep until `until`, firing the schedules on the way; a stepped clock gets there at once.

        Raises:
            BadInput: a schedule is in no notation that EventBridge has.
        """
        schedules = tuple(self._of(ScheduleTrigger))
        for instant, trigger in firings(schedules, self.clock.now(), until):
            self._wait_until(instant)
            self._deliver(trigger.worker, dict(trigger.payload), trigger.schedule, trigger.attempts)
            self.run_until_idle()
        self._wait_until(until)

    def invoke(self, worker: str, payload: Mapping[str, Any]) -> Report:
        """Call a worker as another system does, waiting for its answer; errors are the caller's.

        Raises:
            CampaignError: whatever the worker raises.
        """
        report = self.call(worker, payload)
        self._record(worker, "invoke", report)
        return report

    def _of(self, kind: type[_Kind]) -> Iterator[_Kind]:
        return (trigger for trigger in self.triggers if isinstance(trigger, kind))

    def _wait_until(self, instant: datetime) -> None:
        if (seconds := (instant - self.clock.now()).total_seconds()) > 0:
            self.clock.sleep(seconds)

    def _objects(self) -> bool:
        expected = tuple(self.journal.expected())
        attempts = {trigger.worker: trigger.attempts for trigger in self._of(ObjectTrigger)}
        for key, worker, event in expected:
            self._deliver(worker, ObjectCreated(**event), event["key"], attempts[worker])
            self.journal.delivered(key)
        return bool(expected)

    def _records(self) -> bool:
        consumed = [
            self._consume(
                f"{trigger.worker}/{trigger.stream}",
                trigger.stream,
                trigger.batch_size,
                partial(self._batch, trigger),
            )
            for trigger in self._of(StreamTrigger)
        ]
        subscribed = [
            self._consume(
                f"{subscription.name}/{subscription.stream}",
                subscription.stream,
                subscription.batch_size,
                subscription.consume,
            )
            for subscription in self.subscriptions
        ]
        return any(consumed + subscribed)

    def _consume(
        self, consumer: str, stream: str, limit: int, consume: Callable[[StreamBatch], object]
    ) -> bool:
        """Hand a consumer all that it has not seen, shard by shard, in order."""
        some = False
        for shard in self.streams[stream].shards():
            position = self.journal.position(f"{consumer}/{shard}")
            while records := self.streams[stream].read(shard, after=position, limit=limit):
                consume(StreamBatch(stream=stream, shard=shard, records=records))
                position = records[-1].sequence
                self.journal.advance(f"{consumer}/{shard}", position)
                some = True
        return some

    def _batch(self, trigger: StreamTrigger, batch: StreamBatch) -> None:
        if trigger.record_type is not None:
            records = tuple(r for r in batch.records if _is_of(trigger.record_type, r.data))
            batch = attrs.evolve(batch, records=records)
        if batch.records:
            self._deliver_batch(trigger, batch)

    def _deliver_batch(self, trigger: StreamTrigger, batch: StreamBatch) -> None:
        """A batch that may be halved gets its attempts when nothing is left to halve."""
        source = f"{batch.stream}/{batch.shard}/{batch.records[0].sequence}"
        if not trigger.bisect or len(batch.records) == 1:
            self._deliver(trigger.worker, batch, source, trigger.attempts)
        elif isinstance(self._attempt(trigger.worker, batch, source), str):
            middle = len(batch.records) // 2
            for half in (batch.records[:middle], batch.records[middle:]):
                self._deliver_batch(trigger, attrs.evolve(batch, records=half))

    def _messages(self) -> bool:
        some = False
        for trigger in self._of(QueueTrigger):
            queue = self.queues[trigger.queue]
            while received := queue.receive(trigger.batch_size, visibility_seconds=0):
                some = True
                for message in received:
                    event = QueueMessage(message_id=message.message_id, body=message.body)
                    self._deliver(trigger.worker, event, trigger.queue, trigger.attempts)
                    queue.delete(message.message_id)
        return some

    def _executions(self) -> bool:
        trigger = next(self._of(WorkflowTrigger))
        pending = [
            (name, payload)
            for name, payload, _ in self.workflow.executions()
            if not self.journal.is_finished(name)
        ]
        for name, payload in pending:
            self._execute(trigger, name, payload)
            self.journal.finish(name)
        return bool(pending)

    def _execute(self, trigger: WorkflowTrigger, name: str, payload: Mapping[str, Any]) -> None:
        """The state machine: the worker again while it returns a cursor; on failure, give up."""
        source = f"{trigger.workflow}/{name}"
        cursor: Any = None
        while True:
            step = {**payload, "cursor": cursor} if cursor else dict(payload)
            report = self._deliver(trigger.worker, step, source, trigger.attempts)
            if report is None:
                self._attempt(trigger.worker, {**payload, "giveUp": True}, source)
                return
            cursor = report.details.get("cursor")
            if not cursor:
                return

    def _deliver(self, worker: str, event: Any, source: str, attempts: int) -> Report | None:
        """Call a worker as often as it may be; None when the work went to the dead letters."""
        reason = ""
        for attempt in range(attempts):
            if attempt:
                self.clock.sleep(self.retry_seconds * 2 ** (attempt - 1))
            outcome = self._attempt(worker, event, source)
            if isinstance(outcome, Report):
                return outcome
            reason = outcome
        self.journal.bury(
            DeadLetter(worker=worker, source=source, attempts=attempts, reason=reason)
        )
        return None

    def _attempt(self, worker: str, event: Any, source: str) -> Report | str:
        """One call: the report, or why it failed, without the text of unforeseen errors."""
        try:
            report = self.call(worker, event)
        except CampaignError as error:
            return f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001 - whatever a worker raises, AWS would retry
            return type(error).__name__
        self._record(worker, source, report)
        return report

    def _record(self, worker: str, source: str, report: Report) -> None:
        run = Run(
            worker=worker, source=source, at=self.clock.now().isoformat(), result=report.wire()
        )
        self.journal.record(run)
        self.observe(run)


def _is_of(record_type: str, data: bytes) -> bool:
    """What an event filter on `data.type` lets through."""
    if record_type.encode() not in data:
        return False
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and record.get("type") == record_type
