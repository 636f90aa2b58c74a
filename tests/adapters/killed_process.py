"""A process that dies amid its first delivery, or one that goes on: `FOLDER die|live`.

Prints what the worker was given, a line each.
"""

import os
import signal
import sys
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from campaign_workers.adapters.local.journal import Journal
from campaign_workers.adapters.local.object_store import FolderObjectStore
from campaign_workers.adapters.local.runtime import Runtime
from campaign_workers.adapters.local.sqlite import Database
from campaign_workers.adapters.local.streams import SqliteMessageQueue, SqliteRecordStream
from campaign_workers.adapters.local.tables import SqliteTables
from campaign_workers.adapters.local.workflow import SqliteWorkflowStarter
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.running.events import ObjectCreated, QueueMessage
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import (
    ObjectTrigger,
    QueueTrigger,
    StreamTrigger,
    WorkflowTrigger,
)

TRIGGERS = (
    ObjectTrigger(worker="worker", bucket="bucket", prefix="", suffix="", attempts=3),
    StreamTrigger(worker="worker", stream="stream", batch_size=10, attempts=5),
    QueueTrigger(worker="worker", queue="queue", attempts=5),
    WorkflowTrigger(worker="worker", workflow="machine", attempts=4),
)


def told(event: Any) -> str:
    """What an event is about."""
    if isinstance(event, ObjectCreated):
        return event.key
    if isinstance(event, QueueMessage):
        return event.body
    if isinstance(event, dict):
        return str(event["n"])
    return b" ".join(record.data for record in event.records).decode()


def work(event: Any, *, die: bool) -> Report:
    """Say what came, and die of it if that is asked for."""
    print(told(event), flush=True)
    if die:
        os.kill(os.getpid(), signal.SIGKILL)
    return Report(worker="worker", counts={})


def main(folder: Path, kind: str, fate: str) -> None:
    """Bring some work of one kind, then deliver whatever there is."""
    clock = SteppedClock(datetime(2026, 5, 4, tzinfo=UTC))
    with closing(Database(folder / "state.sqlite")) as database:
        bucket = FolderObjectStore(folder / "bucket", clock)
        stream = SqliteRecordStream(database, clock, name="stream", shard_count=1)
        queue = SqliteMessageQueue(database, clock, name="queue")
        workflow = SqliteWorkflowStarter(database, clock)
        runtime = Runtime(
            call=lambda worker, event: work(event, die=fate == "die"),
            journal=Journal(SqliteTables(database)),
            streams={"stream": stream},
            queues={"queue": queue},
            workflow=workflow,
            clock=clock,
            triggers=TRIGGERS,
        )
        bucket.on_created(partial(runtime.object_created, "bucket"))
        bring = {
            "object": lambda name: bucket.put(name, b""),
            "record": lambda name: stream.put([("key", name.encode())]),
            "message": lambda name: queue.send([name]),
            "execution": lambda name: workflow.start(name, {"n": name}),
        }[kind]
        for number in range(2):
            bring(f"{fate}-{number}")
        runtime.run_until_idle()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
