"""Port of the SMS service."""

from collections.abc import Mapping
from typing import Protocol

import attrs


@attrs.frozen(kw_only=True)
class TextMessage:
    """One text to send; `phone` is in E.164 form, and `group` is the wave."""

    message_id: str
    phone: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    group: str = ""
    metadata: Mapping[str, str] = attrs.field(factory=dict)


class SmsService(Protocol):
    """Sends texts, once for each message id; a repeat gets the first response again."""

    async def send(self, message: TextMessage) -> None:
        """Submit a text for delivery.

        Raises:
            PermanentFailure: the text can never be sent, for instance to a dead number.
            OutcomeUnknown: no response arrived; retry with the same message id only.
            RetryLater: the service is busy or fails; nothing was accepted.
        """
        ...
