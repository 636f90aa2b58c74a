"""Port of the offer code service (Pacman)."""

from datetime import datetime
from typing import Protocol

import attrs


@attrs.frozen(kw_only=True)
class OfferCodeRequest:
    """One offer code to make. `begin` and `end` bound its validity."""

    idempotency_key: str
    global_user_id: str
    product_id: str | None = None
    source: str | None = None
    begin: datetime
    end: datetime


class OfferCodes(Protocol):
    """Pacman, which makes offer codes."""

    async def create(self, request: OfferCodeRequest) -> str:
        """Make a code; the same idempotency key again gives the same code.

        Raises:
            PermanentFailure: this request is refused for good.
            RetryLater: the service fails.
        """
        ...
