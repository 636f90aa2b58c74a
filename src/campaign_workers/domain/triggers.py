"""What starts each worker: one table, from which every runtime is wired.

The numbers (batch sizes, attempts) are the defaults of the settings and of the cloud template.
An attempt is one call of the worker; after the last one the work goes to the dead letters.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from campaign_workers.domain.layout import CAMPAIGN_DATA, SCORING

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
    attempts: int = 3


@attrs.frozen(kw_only=True)
class StreamTrigger:
    """Records of a stream call the worker in batches, by shard and in order.

    `record_type` lets only records of that type through; `bisect` halves a batch that fails, so
    that one bad record does not take its neighbours to the dead letters.
    """

    worker: str
    stream: str
    batch_size: int
    record_type: str | None = None
    bisect: bool = False
    attempts: int = 5


@attrs.frozen(kw_only=True)
class QueueTrigger:
    """Messages of a queue call the worker."""

    worker: str
    queue: str
    batch_size: int = 1
    attempts: int = 5


@attrs.frozen(kw_only=True)
class ScheduleTrigger:
    """A schedule, in the notation of EventBridge (UTC), calls the worker with `payload`."""

    worker: str
    schedule: str
    payload: Mapping[str, Any] = attrs.field(factory=dict)
    attempts: int = 3


@attrs.frozen(kw_only=True)
class InvokeTrigger:
    """Another system calls the worker and waits for its answer."""

    worker: str
    caller: str
    attempts: int = 1


@attrs.frozen(kw_only=True)
class WorkflowTrigger:
    """A step of a state machine calls the worker, again for as long as it returns a cursor."""

    worker: str
    workflow: str
    attempts: int = 4


Trigger = (
    ObjectTrigger | StreamTrigger | QueueTrigger | ScheduleTrigger | InvokeTrigger | WorkflowTrigger
)

TRIGGERS: Final[tuple[Trigger, ...]] = (
    StreamTrigger(worker="saveCampaignData", stream=INPUT_STREAM, batch_size=1000),
    StreamTrigger(worker="saveCampaignData", stream=VF_INPUT_STREAM, batch_size=1000),
    StreamTrigger(worker="saveCampaignData", stream=FANLIST_RANKS_STREAM, batch_size=1000),
    StreamTrigger(
        worker="transformCodeAssignments",
        stream=INPUT_STREAM,
        batch_size=100,
        record_type="codeAssignment",
        bisect=True,
    ),
    StreamTrigger(
        worker="saveSelection", stream=SAVE_SELECTION_STREAM, batch_size=100, bisect=True
    ),
    ObjectTrigger(worker="processScoredFiles", bucket=SCORING, prefix="scored/", suffix=".txt"),
    ObjectTrigger(
        worker="translateRanksToScores",
        bucket=SCORING,
        prefix="fanlist/uploaded/",
        suffix=".csv",
    ),
    ObjectTrigger(
        worker="loadCodeAssignmentsToStream",
        bucket=SCORING,
        prefix="smsWaves/triggered/",
        suffix="_csv.json",
    ),
    InvokeTrigger(worker="generateSmsWaveCodes", caller="MonoQL uploadWave"),
    InvokeTrigger(worker="processSmsWaveFiles", caller="upload service"),
    InvokeTrigger(worker="processScheduledWave", caller="upload service"),
    ScheduleTrigger(
        worker="mergeAvroFiles", schedule="cron(0 10 * * ? *)", payload={"type": "daily"}
    ),
    ScheduleTrigger(
        worker="mergeAvroFiles", schedule="cron(0 9 2 * ? *)", payload={"type": "monthly"}
    ),
    QueueTrigger(worker="moveMergedAvroFiles", queue=MOVE_MERGED_QUEUE),
    ScheduleTrigger(worker="saveStats", schedule="rate(5 minutes)"),
    ScheduleTrigger(worker="slackStats", schedule="rate(30 minutes)"),
    ScheduleTrigger(worker="smsWaveScheduler", schedule="rate(5 minutes)"),
    WorkflowTrigger(worker="smsWaveSend", workflow=SMS_WAVE_WORKFLOW),
)

WORKERS: Final = tuple(dict.fromkeys(trigger.worker for trigger in TRIGGERS))
"""Names of the fifteen workers."""
