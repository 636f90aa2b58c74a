"""Port of the team chat (Slack)."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Chat(Protocol):
    """Posts messages to channels."""

    def post(self, channel: str, text: str, blocks: Sequence[Mapping[str, Any]] = ()) -> None:
        """Post a message.

        Args:
            channel: name or id of the channel.
            text: the message in Slack's notation; with `blocks`, the text of notifications.
            blocks: the message in Block Kit.

        Raises:
            PermanentFailure: there is no such channel, or the message is refused.
            RetryLater: the service fails.
        """
        ...
