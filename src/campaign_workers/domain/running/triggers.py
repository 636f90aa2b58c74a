"""The triggers of all workers: one table, from which every runtime is wired."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import attrs

from campaign_workers.domain.storage.layout import CAMPAIGN_DATA, SCORING

INPUT_STREAM: Final = "inputStream"
VF_INPUT_STREAM: Final = "vfInputStream"
FANLIST_RANKS_STREAM: Final = "fanlistRanksStream"
SAVE_SELECTION_STREAM: Final = "saveSelectionStream"
STREAMS: Final = (INPUT_STREAM, VF_INPUT_STREAM, FANLIST_RANKS_STREAM, SAVE_SELECTION_STREAM)

VERDICT_QUEUE: Final = "verdictQueue"
MOVE_MERGED_QUEUE: Final = "moveMergedAvroQueue"
EMAIL_QUEUE: Final = "emailQueue"
QUEUES: Final = (VERDICT_QUEUE, MOVE_MERGED_QUEUE, EMAIL_QUEUE)

DEMAND_TABLE: Final = "demandTable"
DELIVERY_LEDGER: Final = "deliveryLedger"
TABLES: Final = (DEMAND_TABLE, DELIVERY_LEDGER)

SMS_WAVE_WORKFLOW: Final = "sms-wave-step-fn"
BUCKETS: Final = (CAMPAIGN_DATA, SCORING)


@attrs.frozen(kw_only=True)
class ObjectTrigger:
    """Objects written under `prefix` with `suffix` call the worker, one event each."""

    worker: str
    bucket: str
    prefix: str
    suffix: str
    attempts: int


@attrs.frozen(kw_only=True)
class StreamTrigger:
    """Records of a stream call the worker in batches, by shard and in order.

    `record_type` filters the records; `bisect` splits a batch that fails, so that one bad record
    does not send the whole batch to the dead letters.
    """

    worker: str
    stream: str
    batch_size: int
    attempts: int
    record_type: str | None = None
    bisect: bool = False


@attrs.frozen(kw_only=True)
class QueueTrigger:
    """Messages of a queue call the worker."""

    worker: str
    queue: str
    attempts: int
    batch_size: int = 1


@attrs.frozen(kw_only=True)
class ScheduleTrigger:
    """A schedule of EventBridge (in UTC) calls the worker with `payload`."""

    worker: str
    schedule: str
    attempts: int
    payload: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class InvokeTrigger:
    """Another system calls the worker and waits for its response."""

    worker: str
    caller: str
    attempts: int = 1


@attrs.frozen(kw_only=True)
class WorkflowTrigger:
    """A step of a state machine calls the worker until it returns no cursor."""

    worker: str
    workflow: str
    attempts: int


Trigger = (
    ObjectTrigger | StreamTrigger | QueueTrigger | ScheduleTrigger | InvokeTrigger | WorkflowTrigger
)


@attrs.frozen(kw_only=True)
class DeliverySettings:
    """Batch sizes and numbers of attempts.

    A batch size is the maximum number of records in a call. After the last attempt the work goes to
    the dead letters.
    """

    lake_batch: int = 1000
    assignment_batch: int = 100
    selection_batch: int = 100
    stream_attempts: int = 5
    object_attempts: int = 3
    queue_attempts: int = 5
    schedule_attempts: int = 3
    workflow_attempts: int = 4


def triggers(delivery: DeliverySettings) -> tuple[Trigger, ...]:
    """Return the triggers of the fifteen workers with these settings."""
    schedule = partial(ScheduleTrigger, attempts=delivery.schedule_attempts)
    return (
        *_by_records(delivery),
        *_by_objects(delivery),
        InvokeTrigger(worker="generateSmsWaveCodes", caller="MonoQL uploadWave"),
        InvokeTrigger(worker="processSmsWaveFiles", caller="upload service"),
        InvokeTrigger(worker="processScheduledWave", caller="upload service"),
        schedule(worker="mergeAvroFiles", schedule="cron(0 10 * * ? *)", payload={"type": "daily"}),
        schedule(
            worker="mergeAvroFiles", schedule="cron(0 9 2 * ? *)", payload={"type": "monthly"}
        ),
        QueueTrigger(
            worker="moveMergedAvroFiles",
            queue=MOVE_MERGED_QUEUE,
            attempts=delivery.queue_attempts,
        ),
        schedule(worker="saveStats", schedule="rate(5 minutes)"),
        schedule(worker="slackStats", schedule="rate(30 minutes)"),
        schedule(worker="smsWaveScheduler", schedule="rate(5 minutes)"),
        WorkflowTrigger(
            worker="smsWaveSend",
            workflow=SMS_WAVE_WORKFLOW,
            attempts=delivery.workflow_attempts,
        ),
    )


def _by_records(delivery: DeliverySettings) -> Iterator[StreamTrigger]:
    stream = partial(StreamTrigger, attempts=delivery.stream_attempts)
    for name in (INPUT_STREAM, VF_INPUT_STREAM, FANLIST_RANKS_STREAM):
        yield stream(worker="saveCampaignData", stream=name, batch_size=delivery.lake_batch)
    yield stream(
        worker="transformCodeAssignments",
        stream=INPUT_STREAM,
        batch_size=delivery.assignment_batch,
        record_type="codeAssignment",
        bisect=True,
    )
    yield stream(
        worker="saveSelection",
        stream=SAVE_SELECTION_STREAM,
        batch_size=delivery.selection_batch,
        bisect=True,
    )


def _by_objects(delivery: DeliverySettings) -> Iterator[ObjectTrigger]:
    for worker, prefix, suffix in (
        ("processScoredFiles", "scored/", ".txt"),
        ("translateRanksToScores", "fanlist/uploaded/", ".csv"),
        ("loadCodeAssignmentsToStream", "smsWaves/triggered/", "_csv.json"),
    ):
        yield ObjectTrigger(
            worker=worker,
            bucket=SCORING,
            prefix=prefix,
            suffix=suffix,
            attempts=delivery.object_attempts,
        )


TRIGGERS: Final = triggers(DeliverySettings())
"""The table as the cloud template has it, and the embedded runtime unless a setting says so."""

WORKERS: Final = tuple(dict.fromkeys(trigger.worker for trigger in TRIGGERS))
"""Names of the fifteen workers."""
