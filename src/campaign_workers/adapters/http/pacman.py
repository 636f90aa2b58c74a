"""Pacman, as `schemas/openapi/pacman.yaml` documents it."""

from campaign_workers.adapters.http._client.client import AsyncClient
from campaign_workers.adapters.http._client.responses import MadeCode, read
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.ports.offer_codes import OfferCodeRequest


class HttpOfferCodes(AsyncClient):
    """Serves `OfferCodes`."""

    name = "pacman"

    async def create(self, request: OfferCodeRequest) -> str:
        """See `OfferCodes.create`."""
        body = {
            "user": request.global_user_id,
            "product": request.product_id,
            "source": request.source,
            "begin": iso_utc(request.begin),
            "end": iso_utc(request.end),
        }
        call = self._post(
            "/offer-codes",
            {name: value for name, value in body.items() if value is not None},
            key=request.idempotency_key,
            expects=201,
        )
        made = read(MadeCode, await self._sent(call), call)
        if not made.code.strip():
            raise call.misread("code", "empty")
        return made.code
