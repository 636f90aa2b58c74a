"""Port of the offer code service (Pacman)."""

from datetime import datetime
from typing import Protocol

import attrs


@attrs.frozen(kw_only=True)
class OfferCodeRequest:
    """A request for one offer code, which is valid from `begin` to `end`."""

    idempotency_key: str
    global_user_id: str
    product_id: str | None = None
    source: str | None = None
    begin: datetime
    end: datetime


class OfferCodes(Protocol):
    """Creates offer codes."""

    async def create(self, request: OfferCodeRequest) -> str:
        """Create a code and return it; the same idempotency key gives the same code.

        Raises:
            PermanentFailure: the request is refused for good.
            RetryLater: the service fails.
        """
        ...
