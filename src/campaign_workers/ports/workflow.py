"""Starting the state machine of a wave."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import attrs


@attrs.frozen(kw_only=True)
class Execution:
    """An execution of the state machine; `is_new` if this very call started it."""

    name: str
    started: datetime
    is_new: bool


class WorkflowStarter(Protocol):
    """`sms-wave-step-fn`, a standard workflow."""

    def start(self, name: str, payload: Mapping[str, Any]) -> Execution:
        """Start an execution; a name that was used before starts nothing and is returned.

        Names are 1 to 80 characters of letters, digits, `-` and `_`.

        Raises:
            BadInput: the name is not of that form.
            RetryLater: the service fails.
        """
        ...
