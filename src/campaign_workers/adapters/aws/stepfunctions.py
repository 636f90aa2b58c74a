"""Starts of the state machine in Step Functions."""

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
from campaign_workers.domain.running.events import checked_execution_name
from campaign_workers.ports.workflow import Execution

_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
_ROUNDING: Final = timedelta(seconds=1)
"""Answers tell the time in whole seconds, and the clocks of a service differ a little."""


@attrs.frozen
class StepFunctionsStarter:
    """Serves `WorkflowStarter` with a state machine of the type STANDARD, named by its ARN."""

    client: Any = attrs.field(repr=False)
    state_machine: str = attrs.field(kw_only=True)

    def start(self, name: str, payload: Mapping[str, Any]) -> Execution:
        """See `WorkflowStarter.start`.

        `fresh` errs for a second start with the same payload within a second of the first: the
        service answers both alike.
        """
        checked_execution_name(name)
        asked = time.monotonic()
        with translate_errors("stepfunctions", self.state_machine):
            answer = self._started(name, payload)
            if answer is None:
                return Execution(name=name, started=self._described(name), fresh=False)
        took = timedelta(seconds=time.monotonic() - asked)
        started = _utc(answer["startDate"])
        return Execution(name=name, started=started, fresh=started >= _earliest(answer, took))

    def _started(self, name: str, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The answer to a start, None if the name was used before."""
        try:
            answer: Mapping[str, Any] = self.client.start_execution(
                stateMachineArn=self.state_machine, name=name, input=json.dumps(dict(payload))
            )
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise
            return None
        return answer

    def _described(self, name: str) -> datetime:
        """When the execution began that has the name."""
        execution = self.state_machine.replace(":stateMachine:", ":execution:")
        try:
            answer = self.client.describe_execution(executionArn=f"{execution}:{name}")
        except ClientError as error:
            if error_code(error) != "ExecutionDoesNotExist":
                raise
            # Descriptions lag behind starts.
            raise RetryLater(f"{name}: somebody is starting this execution") from None
        return _utc(answer["startDate"])


def _earliest(answer: Mapping[str, Any], took: timedelta) -> datetime:
    """When an execution began at the earliest that this call started, by the service's clock.

    As long as an execution runs, a start with the same payload is answered as the first one was;
    the time alone tells them apart, and the clock of this machine may be wrong.
    """
    told = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(told) - took - _ROUNDING if told else _BEFORE_ALL


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
