"""The `WorkflowStarter` port on AWS Step Functions."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import attrs
from botocore.exceptions import ClientError

from campaign_workers.adapters.aws.errors import error_code, translate_errors
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.running.events import validate_execution_name
from campaign_workers.ports.workflow import Execution

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_TOLERANCE: Final = timedelta(seconds=1)
"""The `Date` header has whole seconds, and the clocks of a service differ slightly."""


@attrs.frozen
class StepFunctionsStarter:
    """Serves `WorkflowStarter` with a STANDARD state machine; `state_machine` is its ARN."""

    client: Any = attrs.field(repr=False)
    state_machine: str = attrs.field(kw_only=True)

    def start(self, name: str, payload: Mapping[str, Any]) -> Execution:
        """See `WorkflowStarter.start`.

        `fresh` is also True for a second start with the same payload within about a second of the
        first, because the service answers both in the same way.
        """
        validate_execution_name(name)
        before = time.monotonic()
        with translate_errors("stepfunctions", self.state_machine):
            response = self._start_execution(name, payload)
            if response is None:
                return Execution(name=name, started=self._start_date(name), is_new=False)
        took = timedelta(seconds=time.monotonic() - before)
        started = _utc(response["startDate"])
        return Execution(name=name, started=started, is_new=started >= _call_start(response, took))

    def _start_execution(self, name: str, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the service's response, or None if the name was used before."""
        try:
            response: Mapping[str, Any] = self.client.start_execution(
                stateMachineArn=self.state_machine, name=name, input=json.dumps(dict(payload))
            )
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise
            return None
        return response

    def _start_date(self, name: str) -> datetime:
        """Return when the execution with this name started."""
        execution = self.state_machine.replace(":stateMachine:", ":execution:")
        try:
            response = self.client.describe_execution(executionArn=f"{execution}:{name}")
        except ClientError as error:
            if error_code(error) != "ExecutionDoesNotExist":
                raise
            # `DescribeExecution` is eventually consistent.
            raise RetryLater(f"{name}: this execution is being started; retry") from None
        return _utc(response["startDate"])


def _call_start(response: Mapping[str, Any], took: timedelta) -> datetime:
    """Return the earliest time at which this call can have started an execution.

    While an execution runs, another start with its payload gets the same response as the first;
    only the start date differs from the time of the call. The time comes from the service,
    because this machine's clock may be wrong.
    """
    date = response["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(date) - took - _TOLERANCE if date else _EARLIEST


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
