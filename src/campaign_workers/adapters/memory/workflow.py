"""The `WorkflowStarter` port in memory."""

import json
from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from typing import Any

import attrs

from campaign_workers.adapters.memory.faults import FaultInjectionMixin
from campaign_workers.domain.running.events import validate_execution_name
from campaign_workers.ports.system import Clock
from campaign_workers.ports.workflow import Execution


@attrs.define
class MemoryWorkflowStarter(FaultInjectionMixin):
    """Serves `WorkflowStarter` by recording executions, which the embedded runtime runs."""

    clock: Clock
    _started: dict[str, tuple[datetime, str]] = attrs.field(factory=dict, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False, repr=False)

    def start(self, name: str, payload: Mapping[str, Any]) -> Execution:
        """See `WorkflowStarter.start`."""
        self._raise_injected_fault()
        new = (self.clock.now(), json.dumps(dict(payload)))
        with self._lock:
            first = self._started.setdefault(validate_execution_name(name), new)
        return Execution(name=name, started=first[0], is_new=first is new)

    def executions(self) -> tuple[tuple[str, Mapping[str, Any], datetime], ...]:
        """Return name, payload and start time of each execution, oldest first."""
        with self._lock:
            return tuple((name, json.loads(text), at) for name, (at, text) in self._started.items())
