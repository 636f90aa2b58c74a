"""smsWaveScheduler: start an execution of the state machine for each wave that is due.

An execution is named by the key and the content of its config: a second tick starts nothing, and
a config that was repaired gets a new execution.
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
    config_version,
    execution_name,
)
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.ports.system import Clock
from campaign_workers.ports.workflow import WorkflowStarter

WORKER: Final = "smsWaveScheduler"


@attrs.frozen(kw_only=True)
class SmsWaveScheduler:
    """Start the due waves; a config that is not moved after `start_timeout` is stuck."""

    scoring: ObjectStore
    workflow: WorkflowStarter
    clock: Clock
    start_timeout: timedelta = timedelta(minutes=15)

    parse = staticmethod(Tick.parse)

    def __call__(self, event: Tick) -> Report:
        """Start an execution for each config in `scheduled/` that is ready.

        Counts are configs: `in` are ready or invalid, `out` were started now, `duplicates` were
        started by an earlier tick, `rejected` are invalid, and `waiting` are not ready yet. The
        details have the keys of the ready ones (`configKeys`), of those that are `stuck`, and of
        the `unreadable` ones with the reason.

        Raises:
            RetryLater: the bucket fails, or a start failed; the other configs were started.
        """
        tick = _Tick()
        for info in self.scoring.list(wave_configs_prefix(WaveState.SCHEDULED)):
            if not info.key.endswith("/"):
                self._start_if_ready(info, tick)
        if tick.not_started:
            raise RetryLater(f"not started: {', '.join(tick.not_started)}")
        return tick.report()

    def _start_if_ready(self, info: ObjectInfo, tick: "_Tick") -> None:
        try:
            document = self._document(info)
            config = WaveConfig.parse(document, file=info.key)
        except BadInput as error:
            tick.unreadable.append({"key": info.key, "reason": str(error)})
            return
        except (Conflict, NotFound):
            # It was moved or replaced after the listing; the next tick handles the new version.
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
        payload = {"configKey": info.key, "version": config_version(document)}
        try:
            execution = self.workflow.start(execution_name(info.key, info.etag), payload)
        except RetryLater:
            tick.not_started.append(info.key)
            return
        tick.ready.append(info.key)
        tick.started += execution.is_new
        if self.clock.now() - execution.started >= self.start_timeout:
            tick.stuck.append(info.key)


@attrs.define
class _Tick:
    """The findings of one tick."""

    ready: list[str] = attrs.field(factory=list)
    stuck: list[str] = attrs.field(factory=list)
    unreadable: list[dict[str, str]] = attrs.field(factory=list)
    not_started: list[str] = attrs.field(factory=list)
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
