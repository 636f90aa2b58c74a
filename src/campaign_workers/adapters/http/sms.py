"""Client of the SMS service, as documented in `schemas/openapi/sms.yaml`."""

from datetime import datetime, timedelta
from typing import Final

from campaign_workers.adapters.http._client.client import AsyncClient
from campaign_workers.adapters.http._client.requests import HttpLimits, ServiceBusy, ServiceRequest
from campaign_workers.adapters.http._client.responses import MessageResponse, parse_response
from campaign_workers.ports.sms_service import TextMessage
from campaign_workers.ports.system import Clock, Secrets

ONE_ATTEMPT: Final = HttpLimits(attempts=1, max_connections=200)
"""The default: the sender of a wave retries at its own rate."""
MAX_PAUSE: Final = timedelta(days=1)
"""Upper bound of a pause, so that one wrong response cannot stop a process for good."""


class HttpSmsService(AsyncClient):
    """Serves `SmsService`.

    A retry inside the client would escape the sender's rate limit, so that one second could carry
    more texts than allowed. The client therefore makes one attempt by default. If the service asks
    for a pause, `send` sleeps for as long before it raises. If the pause is longer than
    `max_backoff_seconds`, `send` raises at once, and so does every call until the pause is over.
    """

    name = "sms"

    def __init__(
        self, base_url: str, secrets: Secrets, clock: Clock, *, limits: HttpLimits = ONE_ATTEMPT
    ) -> None:
        super().__init__(base_url, secrets, limits=limits)
        self._clock = clock
        self._max_backoff_seconds = limits.max_backoff_seconds
        self._paused_until: datetime | None = None

    async def send(self, message: TextMessage) -> None:
        """See `SmsService.send`; the message id is the idempotency key."""
        body = {
            "id": message.message_id,
            "to": message.phone,
            "text": message.text,
            "group": message.group,
            "metadata": dict(message.metadata),
        }
        # A 409 does not refuse the text here: an earlier one with this id may be in flight.
        request = self._post(
            "/messages", body, key=message.message_id, takes_key=False, expects=202
        )
        self._raise_if_paused(request)
        try:
            content = await self._send(request)
        except ServiceBusy as busy:
            if busy.seconds > self._max_backoff_seconds:
                pause = min(timedelta(seconds=busy.seconds), MAX_PAUSE)
                self._paused_until = self._clock.now() + pause
            else:
                await self._clock.pause(busy.seconds)
            raise
        accepted = parse_response(MessageResponse, content, request)
        if accepted.id != message.message_id or accepted.state != "accepted":
            raise request.malformed_response("id and state", "not those of this text")

    def _raise_if_paused(self, request: ServiceRequest) -> None:
        if self._paused_until is None:
            return
        seconds = (self._paused_until - self._clock.now()).total_seconds()
        if seconds > 0:
            raise ServiceBusy(
                request.describe(f"paused at the service's request for {seconds:.0f} s more"),
                seconds,
            )
        self._paused_until = None
