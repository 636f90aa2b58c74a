"""Port of the SMS service."""

from collections.abc import Mapping
from typing import Protocol

import attrs


@attrs.frozen(kw_only=True)
class TextMessage:
    """One text to send; `phone` is E.164, `group` the wave it belongs to."""

    message_id: str
    phone: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    group: str = ""
    metadata: Mapping[str, str] = attrs.field(factory=dict)


class SmsService(Protocol):
    """Sends texts; accepts a message id once, and answers a repeat as it answered first."""

    async def send(self, message: TextMessage) -> None:
        """Hand a text over for delivery.

        Raises:
            PermanentFailure: it can never be sent (a dead number, an opt-out).
            OutcomeUnknown: no answer came; only the same id may be sent again.
            RetryLater: the service is busy or fails; nothing was accepted.
        """
        ...
