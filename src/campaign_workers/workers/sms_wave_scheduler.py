"""smsWaveScheduler: waves whose time has come get an execution of the state machine each.

The execution is named for the config's key and content, so a second tick starts nothing, and a
config that was repaired or scheduled again starts anew.
"""

from contextlib import closing
from datetime import timedelta
from typing import Final

import attrs

from campaign_workers.domain.errors import BadInput, Conflict, NotFound, RetryLater
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage.layout import (
    WaveState,
    parse_wave_config_key,
    wave_configs_prefix,
)
from campaign_workers.domain.waves.config import (
    CONFIG_LIMIT,
    WaveConfig,
    execution_name,
    version_of,
)
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.ports.system import Clock
from campaign_workers.ports.workflow import WorkflowStarter

WORKER: Final = "smsWaveScheduler"


@attrs.frozen(kw_only=True)
class SmsWaveScheduler:
    """Start what is due; an execution that has not moved its config after `patience` is stuck."""

    scoring: ObjectStore
    workflow: WorkflowStarter
    clock: Clock
    patience: timedelta = timedelta(minutes=15)

    parse = staticmethod(Tick.parse)

    def __call__(self, event: Tick) -> Report:
        """Start an execution for each config in `scheduled/` that is ready.

        Counts are configs: in those that are ready or wrong, out those that were started now,
        duplicates those that were started by an earlier tick, rejected the wrong ones; `waiting`
        are not ready yet. The details have the keys of the ready ones (`configKeys`), of those
        that are `stuck`, and of the `unreadable` ones with the reason.

        Raises:
            RetryLater: the bucket fails, or a start failed; the other configs were started.
        """
        tick = _Tick()
        for info in self.scoring.list(wave_configs_prefix(WaveState.SCHEDULED)):
            if not info.key.endswith("/"):
                self._consider(info, tick)
        if tick.failed:
            raise RetryLater(f"not started: {', '.join(tick.failed)}")
        return tick.report()

    def _consider(self, info: ObjectInfo, tick: "_Tick") -> None:
        try:
            document = self._document(info)
            config = WaveConfig.read(document, file=info.key)
        except BadInput as why:
            tick.unreadable.append({"key": info.key, "reason": str(why)})
            return
        except (Conflict, NotFound):
            # It was moved or replaced since it was listed; the next tick sees what is there.
            return
        if config.is_ready(self.clock.now()):
            self._start(info, document, tick)
        else:
            tick.waiting += 1

    def _document(self, info: ObjectInfo) -> bytes:
        parse_wave_config_key(info.key)
        content = self.scoring.open(info.key, etag=info.etag, length=CONFIG_LIMIT + 1)
        with closing(content):
            return content.read()

    def _start(self, info: ObjectInfo, document: bytes, tick: "_Tick") -> None:
        payload = {"configKey": info.key, "version": version_of(document)}
        try:
            execution = self.workflow.start(execution_name(info.key, info.etag), payload)
        except RetryLater:
            tick.failed.append(info.key)
            return
        tick.ready.append(info.key)
        tick.started += execution.is_new
        if self.clock.now() - execution.started >= self.patience:
            tick.stuck.append(info.key)


@attrs.define
class _Tick:
    """What one tick found."""

    ready: list[str] = attrs.field(factory=list)
    stuck: list[str] = attrs.field(factory=list)
    unreadable: list[dict[str, str]] = attrs.field(factory=list)
    failed: list[str] = attrs.field(factory=list)
    started: int = 0
    waiting: int = 0

    def report(self) -> Report:
        counts = {
            "in": len(self.ready) + len(self.unreadable),
            "out": self.started,
            "rejected": len(self.unreadable),
            "duplicates": len(self.ready) - self.started,
            "waiting": self.waiting,
        }
        details = {"configKeys": self.ready, "unreadable": self.unreadable, "stuck": self.stuck}
        return Report(worker=WORKER, counts=counts, details=details)
