"""A query of Athena, from its start to its end."""

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import attrs

from campaign_workers.adapters.aws.errors import translate_errors
from campaign_workers.domain.errors import CampaignError, Fatal, RetryLater
from campaign_workers.ports.system import Clock

FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 5
STOPPING_SECONDS: Final = 20
"""How long a stopped query is waited for, so that it writes nothing after it was cleaned up."""

_GROWTH: Final = 1.5
_ENDED: Final = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
_OF_THE_USER: Final = 2
_NAME: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_log: Final = logging.getLogger(__name__)


@attrs.define(kw_only=True)
class Query:
    """One query; `output` is where its result goes unless the workgroup decides otherwise.

    A start sent again with the same `start_id`, of 32 characters at least, is the same query.
    """

    athena: Any = attrs.field(repr=False)
    clock: Clock
    workgroup: str
    database: str
    output: str
    start_id: str
    patience_seconds: float
    execution: str = attrs.field(default="", init=False)
    result: str = attrs.field(default="", init=False)

    def run(self, sql: str) -> None:
        """Run `sql` to its end; `result` is then the address of its CSV.

        However this ends, the query does not go on.

        Raises:
            RetryLater: Athena failed, or did not end in time.
            Fatal: it refuses the query.
        """
        try:
            self._start(sql)
            status = self._ended(self.patience_seconds)
        except BaseException:
            self._stop()
            raise
        if status is None:
            self._stop()
            raise RetryLater(
                f"{self._named} did not end within {self.patience_seconds:g} s and was stopped"
            )
        if status["State"] != "SUCCEEDED":
            raise self._failure(status)

    def _start(self, sql: str) -> None:
        with translate_errors("athena", self.workgroup):
            answer = self.athena.start_query_execution(
                QueryString=sql,
                ClientRequestToken=self.start_id,
                QueryExecutionContext={"Database": self.database},
                ResultConfiguration={"OutputLocation": self.output},
                WorkGroup=self.workgroup,
            )
        self.execution = answer["QueryExecutionId"]
        self.result = f"{self.output}{self.execution}.csv"

    def _ended(self, seconds: float) -> Mapping[str, Any] | None:
        """How the query ended, None if it has not after so many seconds of waiting."""
        waited, wait = 0.0, FIRST_WAIT_SECONDS
        while (status := self._status())["State"] not in _ENDED:
            if waited >= seconds:
                return None
            wait = min(wait, seconds - waited)
            self.clock.sleep(wait)
            waited, wait = waited + wait, min(wait * _GROWTH, LONGEST_WAIT_SECONDS)
        return status

    def _status(self) -> Mapping[str, Any]:
        with translate_errors("athena", self._named):
            answer = self.athena.get_query_execution(QueryExecutionId=self.execution)
        found = answer["QueryExecution"]
        self.result = found.get("ResultConfiguration", {}).get("OutputLocation") or self.result
        status: Mapping[str, Any] = found["Status"]
        return status

    def _stop(self) -> None:
        """Stop the query; what fails now hides nothing that failed before."""
        if not self.execution:
            return
        with suppress(CampaignError):
            with translate_errors("athena", self._named):
                self.athena.stop_query_execution(QueryExecutionId=self.execution)
            if self._ended(STOPPING_SECONDS):
                return
        _log.warning("%s may still be running; stop it", self._named)

    def _failure(self, status: Mapping[str, Any]) -> CampaignError:
        """The error for a query that failed; Athena's text stays there, it may quote values."""
        error = status.get("AthenaError", {})
        named = _NAME.match(str(status.get("StateChangeReason", "")))
        reasons = [
            status["State"],
            *([named.group()] if named else ()),
            *(f"{what} {error[what]}" for what in ("ErrorCategory", "ErrorType") if what in error),
        ]
        words = f"{self._named} failed ({', '.join(reasons)})"
        if error.get("ErrorCategory") == _OF_THE_USER and not error.get("Retryable"):
            return Fatal(f"{words}; its reason stands in the history of the workgroup")
        return RetryLater(words)

    @property
    def _named(self) -> str:
        return f"athena: {self.workgroup}: query {self.execution}"
