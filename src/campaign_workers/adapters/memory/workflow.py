"""Starts of the state machine, in a dict."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from campaign_workers.domain.limits import checked_execution_name
from campaign_workers.ports.system import Clock
from campaign_workers.ports.workflow import Execution


@attrs.define
class MemoryWorkflowStarter:
    """Remembers what was started; the embedded runtime runs it."""

    clock: Clock
    _started: dict[str, tuple[datetime, Mapping[str, Any]]] = attrs.field(factory=dict, init=False)

    def start(self, name: str, payload: Mapping[str, Any]) -> Execution:
        """See `WorkflowStarter.start`."""
        fresh = checked_execution_name(name) not in self._started
        if fresh:
            self._started[name] = (self.clock.now(), dict(payload))
        return Execution(name=name, started=self._started[name][0], fresh=fresh)

    def executions(self) -> tuple[tuple[str, Mapping[str, Any], datetime], ...]:
        """What was started, oldest first: name, payload and when."""
        return tuple((name, payload, at) for name, (at, payload) in self._started.items())
