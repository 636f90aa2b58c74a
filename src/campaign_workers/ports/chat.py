"""Port of the team chat."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Chat(Protocol):
    """Slack, or what stands in for it."""

    def post(self, channel: str, text: str, blocks: Sequence[Mapping[str, Any]] = ()) -> None:
        """Post a message: Block Kit `blocks`, and `text` for notifications.

        Raises:
            PermanentFailure: there is no such channel, or the message is refused.
            RetryLater: the service fails.
        """
        ...
