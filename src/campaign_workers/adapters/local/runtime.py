"""The embedded runtime: does on one machine, and deterministically, what AWS does between workers.

The trigger table decides which worker is called for new objects, stream records, queue messages,
schedules and executions of the state machine. Delivery is at least once, with the number of
attempts in the table; work that fails at every attempt becomes a dead letter.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import attrs

from campaign_workers.adapters.local.journal import DeadLetter, Journal, Position, Run
from campaign_workers.adapters.local.schedules import firings
from campaign_workers.domain.errors import CampaignError
from campaign_workers.domain.running.events import (
    ObjectCreated,
    QueueMessage,
    ReceivedMessage,
    StreamBatch,
    StreamRecord,
)
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import (
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
_KILLED: Final = "the process ended at every attempt"


class ShardReader(Protocol):
    """The consumers' side of a stream."""

    def shards(self) -> Sequence[str]:
        """Return the names of the shards, in order."""
        ...

    def read(self, shard: str, *, after: str | None, limit: int) -> tuple[StreamRecord, ...]:
        """Return up to `limit` records of a shard after a sequence number, or from its start."""
        ...


class MessageReceiver(Protocol):
    """The consumers' side of a queue."""

    def receive(self, limit: int, *, visibility_seconds: float) -> Sequence[ReceivedMessage]:
        """Receive up to `limit` messages and hide them from others for `visibility_seconds`."""
        ...

    def delete(self, message_id: str) -> None:
        """Delete a message; a missing one is not an error."""
        ...


class ExecutionLog(Protocol):
    """The executions of the state machine that were started."""

    def executions(self) -> Sequence[tuple[str, Mapping[str, Any], datetime]]:
        """Return name, payload and start time of each execution, oldest first."""
        ...


@attrs.frozen(kw_only=True)
class Subscription:
    """Another team's consumer of a stream, called like a worker but not recorded as a run."""

    name: str
    stream: str
    consume: Callable[[StreamBatch], object]
    batch_size: int = 1000


def _ignore(run: Run) -> None:
    """Ignore a run."""


@attrs.define(kw_only=True)
class Runtime:
    """Delivers events to workers until none is left.

    `call` runs a worker by name; `observe` is called with every successful run.
    """

    call: Callable[[str, Any], Report]
    journal: Journal
    streams: Mapping[str, ShardReader]
    queues: Mapping[str, MessageReceiver]
    workflow: ExecutionLog
    clock: Clock
    subscriptions: Sequence[Subscription] = ()
    triggers: Sequence[Trigger] = TRIGGERS
    observe: Callable[[Run], None] = _ignore
    retry_seconds: float = 1.0

    def object_created(self, bucket: str, info: ObjectInfo) -> None:
        """Add events for the workers of a new object; `run_until_idle` delivers them."""
        for trigger in self._of(ObjectTrigger):
            if (
                trigger.bucket == bucket
                and info.key.startswith(trigger.prefix)
                and info.key.endswith(trigger.suffix)
            ):
                self.journal.add_event(
                    trigger.worker, {"bucket": bucket, "key": info.key, "etag": info.etag}
                )

    def run_until_idle(self) -> None:
        """Deliver until no object event, record, message or execution is left."""
        while any([self._objects(), self._records(), self._messages(), self._executions()]):
            pass

    def advance(self, until: datetime) -> None:
        """Sleep until `until` and fire the schedules on the way.

        Raises:
            BadInput: a schedule is not valid in EventBridge.
        """
        schedules = tuple(self._of(ScheduleTrigger))
        for instant, trigger in firings(schedules, self.clock.now(), until):
            self._wait_until(instant)
            self._deliver(trigger.worker, dict(trigger.payload), trigger.schedule, trigger.attempts)
            self.run_until_idle()
        self._wait_until(until)

    def invoke(self, worker: str, payload: Mapping[str, Any]) -> Report:
        """Call a worker directly, as another system would, and return its report.

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
        events = tuple(self.journal.pending_events())
        attempts = {trigger.worker: trigger.attempts for trigger in self._of(ObjectTrigger)}
        for key, worker, event in events:
            self._deliver(worker, ObjectCreated(**event), event["key"], attempts[worker])
            self.journal.remove_event(key)
        return bool(events)

    def _records(self) -> bool:
        by_workers = [
            self._consume(
                f"{trigger.worker}/{trigger.stream}",
                trigger.stream,
                trigger.batch_size,
                partial(self._batch, trigger),
            )
            for trigger in self._of(StreamTrigger)
        ]
        by_subscriptions = [
            self._consume(
                f"{subscription.name}/{subscription.stream}",
                subscription.stream,
                subscription.batch_size,
                subscription.consume,
            )
            for subscription in self.subscriptions
        ]
        return any(by_workers + by_subscriptions)

    def _consume(
        self, consumer: str, stream: str, limit: int, consume: Callable[[StreamBatch], object]
    ) -> bool:
        """Deliver all new records to a consumer, shard by shard; return whether there were any."""
        has_records = False
        for shard in self.streams[stream].shards():
            while batch := self._next_batch(f"{consumer}/{shard}", stream, shard, limit):
                consume(batch)
                position = Position(done=batch.records[-1].sequence)
                self.journal.save_position(f"{consumer}/{shard}", position)
                has_records = True
        return has_records

    def _next_batch(self, consumer: str, stream: str, shard: str, limit: int) -> StreamBatch | None:
        """Return the next batch; after an interruption, exactly the batch that was in flight.

        Workers derive file names from the first and the last record of a batch, so a batch must
        have the same records when it is delivered again.
        """
        position = self.journal.position(consumer)
        records = self.streams[stream].read(shard, after=position.done, limit=limit)
        if position.until is not None:
            records = tuple(r for r in records if r.sequence <= position.until)
        elif records:
            in_flight = attrs.evolve(position, until=records[-1].sequence)
            self.journal.save_position(consumer, in_flight)
        return StreamBatch(stream=stream, shard=shard, records=records) if records else None

    def _batch(self, trigger: StreamTrigger, batch: StreamBatch) -> None:
        if trigger.record_type is not None:
            records = tuple(r for r in batch.records if _is_of(trigger.record_type, r.data))
            batch = attrs.evolve(batch, records=records)
        if batch.records:
            self._deliver_batch(trigger, batch)

    def _deliver_batch(self, trigger: StreamTrigger, batch: StreamBatch) -> None:
        """Deliver a batch; with `bisect`, a failing batch is split until single records fail."""
        source = f"{batch.stream}/{batch.shard}/{batch.records[0].sequence}"
        if not trigger.bisect or len(batch.records) == 1:
            self._deliver(trigger.worker, batch, source, trigger.attempts)
        elif isinstance(self._attempt(trigger.worker, batch, source), str):
            middle = len(batch.records) // 2
            for half in (batch.records[:middle], batch.records[middle:]):
                self._deliver_batch(trigger, attrs.evolve(batch, records=half))

    def _messages(self) -> bool:
        has_messages = False
        for trigger in self._of(QueueTrigger):
            queue = self.queues[trigger.queue]
            while messages := queue.receive(trigger.batch_size, visibility_seconds=0):
                has_messages = True
                for message in messages:
                    if self._deliver_message(trigger, message):
                        queue.delete(message.message_id)
        return has_messages

    def _deliver_message(self, trigger: QueueTrigger, message: ReceivedMessage) -> bool:
        """Deliver a message; return True if it succeeded or became a dead letter.

        Every receipt counts as an attempt, even if the process died during it.
        """
        outcome: Report | str = _KILLED
        if message.receive_count <= trigger.attempts:
            self._back_off(message.receive_count - 1)
            event = QueueMessage(message_id=message.message_id, body=message.body)
            outcome = self._attempt(trigger.worker, event, trigger.queue)
        if isinstance(outcome, str) and message.receive_count >= trigger.attempts:
            self._add_dead_letter(trigger.worker, trigger.queue, trigger.attempts, outcome)
            return True
        return isinstance(outcome, Report)

    def _executions(self) -> bool:
        has_executions = False
        for trigger in self._of(WorkflowTrigger):
            for name, payload, _ in self.workflow.executions():
                if not self.journal.is_finished(name):
                    self._execute(trigger, name, payload)
                    self.journal.mark_finished(name)
                    has_executions = True
        return has_executions

    def _execute(self, trigger: WorkflowTrigger, name: str, payload: Mapping[str, Any]) -> None:
        """Call the worker until it returns no cursor; if it fails, call it once more to give up."""
        source = f"{trigger.workflow}/{name}"
        cursor: Any = None
        while True:
            step = {**payload, "cursor": cursor} if cursor else dict(payload)
            report = self._deliver(trigger.worker, step, source, trigger.attempts)
            if report is None:
                self._deliver(trigger.worker, {**payload, "giveUp": True}, source, 1)
                return
            cursor = report.details.get("cursor")
            if not cursor:
                return

    def _deliver(self, worker: str, event: Any, source: str, attempts: int) -> Report | None:
        """Call a worker up to `attempts` times; return None if the work became a dead letter."""
        reason = ""
        for attempt in range(attempts):
            self._back_off(attempt)
            outcome = self._attempt(worker, event, source)
            if isinstance(outcome, Report):
                return outcome
            reason = outcome
        self._add_dead_letter(worker, source, attempts, reason)
        return None

    def _back_off(self, failures: int) -> None:
        if failures:
            self.clock.sleep(self.retry_seconds * 2 ** (failures - 1))

    def _add_dead_letter(self, worker: str, source: str, attempts: int, reason: str) -> None:
        letter = DeadLetter(worker=worker, source=source, attempts=attempts, reason=reason)
        self.journal.add_dead_letter(letter)

    def _attempt(self, worker: str, event: Any, source: str) -> Report | str:
        """Call a worker once; return its report, or the reason of its failure.

        The message of an unexpected error is left out, because it may quote personal data.
        """
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
            worker=worker, source=source, at=self.clock.now().isoformat(), result=report.to_json()
        )
        self.journal.record_run(run)
        self.observe(run)


def _is_of(record_type: str, data: bytes) -> bool:
    """Return whether an event filter on `data.type` accepts a record."""
    if record_type.encode() not in data and b"\\u" not in data:
        return False
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and record.get("type") == record_type
