"""Starts of the state machine, in a dict."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from campaign_workers.domain.errors import BadInput
from campaign_workers.ports.system import Clock
from campaign_workers.ports.workflow import Execution

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")


@attrs.define
class MemoryWorkflowStarter:
    """Remembers what was started; the embedded runtime runs it."""

    clock: Clock
    _started: dict[str, tuple[datetime, Mapping[str, Any]]] = attrs.field(factory=dict, init=False)

    def start(self, name: str, payload: Mapping[str, Any]) -> Execution:
        """See `WorkflowStarter.start`."""
        if not NAME.fullmatch(name):
            raise BadInput("not a name for an execution", field="name")
        fresh = name not in self._started
        if fresh:
            self._started[name] = (self.clock.now(), dict(payload))
        return Execution(name=name, started=self._started[name][0], fresh=fresh)

    def executions(self) -> tuple[tuple[str, Mapping[str, Any], datetime], ...]:
        """What was started, oldest first: name, payload and when."""
        return tuple((name, payload, at) for name, (at, payload) in self._started.items())
