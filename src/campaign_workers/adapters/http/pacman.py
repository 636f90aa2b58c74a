"""Client of Pacman, which issues offer codes, as documented in `schemas/openapi/pacman.yaml`."""

from campaign_workers.adapters.http._client.client import AsyncClient
from campaign_workers.adapters.http._client.responses import OfferCodeResponse, parse_response
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
        post = self._post(
            "/offer-codes",
            {name: value for name, value in body.items() if value is not None},
            key=request.idempotency_key,
            expects=201,
        )
        response = parse_response(OfferCodeResponse, await self._send(post), post)
        if not response.code.strip():
            raise post.malformed_response("code", "empty")
        return response.code
