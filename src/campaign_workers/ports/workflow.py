"""Port of the state machine that sends a wave."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import attrs


@attrs.frozen(kw_only=True)
class Execution:
    """An execution of the state machine; `is_new` if this call started it."""

    name: str
    started: datetime
    is_new: bool


class WorkflowStarter(Protocol):
    """Starts executions of `sms-wave-step-fn`, a standard workflow."""

    def start(self, name: str, payload: Mapping[str, Any]) -> Execution:
        """Start an execution, or return the earlier execution of this name.

        Args:
            name: 1 to 80 letters, digits, `-` and `_`.
            payload: input of the execution.

        Raises:
            BadInput: the name has another form.
            RetryLater: the service fails.
        """
        ...
