"""Pacman's stand-in: makes offer codes."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

from campaign_workers.adapters.fakes.failures import Faults
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.domain.errors import PermanentFailure
from campaign_workers.ports.offer_codes import OfferCodeRequest

CODE_LENGTH: Final = 10


def _nobody(_: OfferCodeRequest) -> bool:
    return False


class OfferCodeMint:
    """Serves `OfferCodes`: a code follows from the idempotency key, and no two keys share one.

    `refuses` says which requests are turned away for good, as a service might for reasons of
    its own; requests whose validity ends before it begins always are.
    """

    def __init__(
        self,
        tables: Tables,
        *,
        refuses: Callable[[OfferCodeRequest], bool] = _nobody,
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._refuses = refuses
        self._made = tables("offerCodes.byKey")
        self._codes = tables("offerCodes")

    async def create(self, request: OfferCodeRequest) -> str:
        """See `OfferCodes.create`."""
        with self.faults.around("create"):
            if request.end <= request.begin:
                raise PermanentFailure("the code would never be valid")
            if self._refuses(request):
                raise PermanentFailure("the request is refused")
            return self._code(request.idempotency_key)

    def _code(self, key: str) -> str:
        with self._made.atomic():
            if made := self._made.get(key):
                return str(made["code"])
            code = next(c for c in _drawn(key) if self._codes.insert(c, {"key": key}))
            self._made.put(key, {"code": code})
            return code


def _drawn(key: str) -> Iterator[str]:
    for attempt in count():
        digest = hashlib.sha256(f"{key}:{attempt}".encode()).digest()
        yield base64.b32encode(digest).decode()[:CODE_LENGTH]
