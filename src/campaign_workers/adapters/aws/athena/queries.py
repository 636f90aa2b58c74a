"""One Athena query: start it, wait for it, and stop it if it fails or takes too long."""

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import attrs

from campaign_workers.adapters.aws.errors import translate_errors
from campaign_workers.domain.errors import CampaignError, Fatal, RetryLater
from campaign_workers.ports.system import Clock

INITIAL_POLL_SECONDS: Final = 0.1
MAX_POLL_SECONDS: Final = 5
STOP_TIMEOUT_SECONDS: Final = 20
"""How long to wait for a stopped query to end, so that it cannot write after the cleanup."""

_POLL_GROWTH: Final = 1.5
_FINAL_STATES: Final = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
_USER_ERROR: Final = 2
"""Athena's error category for a faulty query."""
_ERROR_NAME: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_log: Final = logging.getLogger(__name__)


@attrs.define(kw_only=True)
class Query:
    """One query; its result goes to `output` unless the workgroup enforces another place.

    `start_id` is an idempotency key of at least 32 characters: repeated starts with the same one
    run a single query.
    """

    athena: Any = attrs.field(repr=False)
    clock: Clock
    workgroup: str
    database: str
    output: str
    start_id: str
    timeout_seconds: float
    execution: str = attrs.field(default="", init=False)
    result: str = attrs.field(default="", init=False)

    def run(self, sql: str) -> None:
        """Run `sql` and wait for its end; `result` is then the address of the CSV.

        The query is stopped if this call fails.

        Raises:
            RetryLater: Athena failed, or the query did not end in time.
            Fatal: Athena rejects the query.
        """
        try:
            self._start(sql)
            status = self._wait_until_ended(self.timeout_seconds)
        except BaseException:
            self._stop()
            raise
        if status is None:
            self._stop()
            raise RetryLater(
                f"{self._label} did not end within {self.timeout_seconds:g} s and was stopped"
            )
        if status["State"] != "SUCCEEDED":
            raise self._failure(status)

    def _start(self, sql: str) -> None:
        with translate_errors("athena", self.workgroup):
            response = self.athena.start_query_execution(
                QueryString=sql,
                ClientRequestToken=self.start_id,
                QueryExecutionContext={"Database": self.database},
                ResultConfiguration={"OutputLocation": self.output},
                WorkGroup=self.workgroup,
            )
        self.execution = response["QueryExecutionId"]
        self.result = f"{self.output}{self.execution}.csv"

    def _wait_until_ended(self, seconds: float) -> Mapping[str, Any] | None:
        """Return the final status of the query, or None if it is still running after `seconds`."""
        waited, wait = 0.0, INITIAL_POLL_SECONDS
        while (status := self._status())["State"] not in _FINAL_STATES:
            if waited >= seconds:
                return None
            wait = min(wait, seconds - waited)
            self.clock.sleep(wait)
            waited, wait = waited + wait, min(wait * _POLL_GROWTH, MAX_POLL_SECONDS)
        return status

    def _status(self) -> Mapping[str, Any]:
        with translate_errors("athena", self._label):
            response = self.athena.get_query_execution(QueryExecutionId=self.execution)
        execution = response["QueryExecution"]
        self.result = execution.get("ResultConfiguration", {}).get("OutputLocation") or self.result
        status: Mapping[str, Any] = execution["Status"]
        return status

    def _stop(self) -> None:
        """Stop the query; a failure is only logged, so that it does not hide an earlier error."""
        if not self.execution:
            return
        with suppress(CampaignError):
            with translate_errors("athena", self._label):
                self.athena.stop_query_execution(QueryExecutionId=self.execution)
            if self._wait_until_ended(STOP_TIMEOUT_SECONDS):
                return
        _log.warning("%s may still be running; stop it", self._label)

    def _failure(self, status: Mapping[str, Any]) -> CampaignError:
        """Return the error for a failed query, without Athena's message, which may quote values."""
        error = status.get("AthenaError", {})
        name = _ERROR_NAME.match(str(status.get("StateChangeReason", "")))
        reasons = [
            status["State"],
            *([name.group()] if name else ()),
            *(f"{what} {error[what]}" for what in ("ErrorCategory", "ErrorType") if what in error),
        ]
        message = f"{self._label} failed ({', '.join(reasons)})"
        if error.get("ErrorCategory") == _USER_ERROR and not error.get("Retryable"):
            return Fatal(f"{message}; see the workgroup's query history for the reason")
        return RetryLater(message)

    @property
    def _label(self) -> str:
        return f"athena: {self.workgroup}: query {self.execution}"
