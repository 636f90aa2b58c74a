"""The `WorkflowStarter` port on SQLite."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from campaign_workers.adapters.local.sqlite import Database
from campaign_workers.domain.running.events import validate_execution_name
from campaign_workers.ports.system import Clock
from campaign_workers.ports.workflow import Execution


class SqliteWorkflowStarter:
    """Serves `WorkflowStarter` by recording executions, which the embedded runtime runs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        database.execute(
            "CREATE TABLE IF NOT EXISTS executions (number INTEGER PRIMARY KEY,"
            " name TEXT UNIQUE, payload TEXT, started REAL)"
        )

    def start(self, name: str, payload: Mapping[str, Any]) -> Execution:
        """See `WorkflowStarter.start`."""
        fresh = self._database.execute(
            "INSERT INTO executions (name, payload, started) VALUES (?, ?, ?)"
            " ON CONFLICT DO NOTHING RETURNING 1",
            validate_execution_name(name),
            json.dumps(payload),
            self._clock.now().timestamp(),
        )
        [[started]] = self._database.execute("SELECT started FROM executions WHERE name = ?", name)
        return Execution(
            name=name, started=datetime.fromtimestamp(started, UTC), is_new=bool(fresh)
        )

    def executions(self) -> tuple[tuple[str, Mapping[str, Any], datetime], ...]:
        """Return name, payload and start time of each execution, oldest first."""
        rows = self._database.execute(
            "SELECT name, payload, started FROM executions ORDER BY number"
        )
        return tuple(
            (name, json.loads(payload), datetime.fromtimestamp(started, UTC))
            for name, payload, started in rows
        )
