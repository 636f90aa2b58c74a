"""The SMS service, as `schemas/openapi/sms.yaml` documents it."""

from datetime import datetime, timedelta
from typing import Final

from campaign_workers.adapters.http._client.client import AsyncClient
from campaign_workers.adapters.http._client.limits import HttpLimits
from campaign_workers.adapters.http._client.requests import Call, ServiceBusy
from campaign_workers.adapters.http._client.responses import AcceptedText, read
from campaign_workers.ports.sms_service import TextMessage
from campaign_workers.ports.system import Clock, Secrets

ONE_TRY: Final = HttpLimits(attempts=1, connections=200)
"""The default. Whoever sends a wave tries again by itself, at its own rate."""
LONGEST_ALONE: Final = timedelta(days=1)
"""What a service says by mistake must not silence a process for good."""


class HttpSmsService(AsyncClient):
    """Serves `SmsService`.

    A try that this client repeated by itself would go out unseen by the pace of the wave, so that
    one second could hold more texts than its rate allows. It has one try by default, and keeps
    whoever sent it waiting for as long as the service asks for. Where that is longer than anybody
    waits, no text goes to the service until then.
    """

    name = "sms"

    def __init__(
        self, base_url: str, secrets: Secrets, clock: Clock, *, limits: HttpLimits = ONE_TRY
    ) -> None:
        super().__init__(base_url, secrets, limits=limits)
        self._clock = clock
        self._longest_wait = limits.longest_wait_seconds
        self._alone_until: datetime | None = None

    async def send(self, message: TextMessage) -> None:
        """See `SmsService.send`; the id of a text is its idempotency key."""
        body = {
            "id": message.message_id,
            "to": message.phone,
            "text": message.text,
            "group": message.group,
            "metadata": dict(message.metadata),
        }
        # A conflict is no refusal here: a text of this id may be on its way.
        call = self._post("/messages", body, key=message.message_id, takes_key=False, expects=202)
        self._leave_alone(call)
        try:
            content = await self._sent(call)
        except ServiceBusy as busy:
            if busy.seconds > self._longest_wait:
                alone = min(timedelta(seconds=busy.seconds), LONGEST_ALONE)
                self._alone_until = self._clock.now() + alone
            else:
                await self._clock.pause(busy.seconds)
            raise
        accepted = read(AcceptedText, content, call)
        if accepted.id != message.message_id or accepted.state != "accepted":
            raise call.misread("id and state", "those of another text")

    def _leave_alone(self, call: Call) -> None:
        if self._alone_until is None:
            return
        seconds = (self._alone_until - self._clock.now()).total_seconds()
        if seconds > 0:
            raise ServiceBusy(
                call.told(f"asked to be left alone for another {seconds:.0f} s"), seconds
            )
        self._alone_until = None
