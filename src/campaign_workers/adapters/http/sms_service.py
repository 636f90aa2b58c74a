"""The SMS service, as `schemas/openapi/sms.yaml` documents it."""

from typing import Final

from campaign_workers.adapters.http.answers import AcceptedText, read
from campaign_workers.adapters.http.calls import ServiceBusy
from campaign_workers.adapters.http.client import AsyncClient
from campaign_workers.adapters.http.limits import HttpLimits
from campaign_workers.ports.services import TextMessage
from campaign_workers.ports.system import Clock, Secrets

ONE_TRY: Final = HttpLimits(attempts=1, connections=200)
"""The default. Whoever sends a wave tries again by itself, at its own rate."""


class HttpSmsService(AsyncClient):
    """Serves `SmsService`.

    A try that this client repeated by itself would go out unseen by the pace of the wave, so that
    one second could hold more texts than its rate allows. It has one try by default, and keeps
    whoever sent it waiting for as long as the service asks for.
    """

    name = "sms"

    def __init__(
        self, base_url: str, secrets: Secrets, clock: Clock, *, limits: HttpLimits = ONE_TRY
    ) -> None:
        super().__init__(base_url, secrets, limits=limits)
        self._clock = clock
        self._longest_wait = limits.longest_wait_seconds

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
        try:
            content = await self._sent(call)
        except ServiceBusy as busy:
            await self._clock.pause(min(busy.seconds, self._longest_wait))
            raise
        accepted = read(AcceptedText, content, call)
        if accepted.id != message.message_id or accepted.state != "accepted":
            raise call.misread("id and state", "those of another text")
