"""The code service, as `schemas/openapi/code.yaml` documents it."""

from collections.abc import Collection, Sequence
from typing import Final

from campaign_workers.adapters.http._client.client import BlockingClient
from campaign_workers.adapters.http._client.code_assignments import (
    MOST_ASSIGNMENTS,
    assignments_body,
    results,
)
from campaign_workers.adapters.http._client.requests import different
from campaign_workers.adapters.http._client.responses import Available, Released, Reserved, read
from campaign_workers.domain.codes.assignments import Assignment, AssignmentResult
from campaign_workers.domain.codes.pool import Reservation
from campaign_workers.domain.errors import RejectRecord

MOST_CODES: Final = 10_000


class HttpCodeService(BlockingClient):
    """Serves `CodeService`."""

    name = "code"

    def reserve(
        self, campaign_id: str, market_id: str, count: int, *, reserve_id: str
    ) -> Reservation:
        """See `CodeService.reserve`."""
        wanted = max(count, 0)
        body = {
            "reserveId": reserve_id,
            "campaignId": campaign_id,
            "marketId": market_id,
            "type": "external",
            "count": wanted,
        }
        call = self._post("/reservations", body)
        answer = read(Reserved, self._sent(call), call)
        if answer.reserve_id != reserve_id:
            raise call.misread("reserveId", "that of another reservation")
        if len(answer.codes) > len(set(answer.codes)) or len(answer.codes) > wanted:
            raise call.misread("codes", "a code twice, or more than were asked for")
        return Reservation(reserve_id=reserve_id, codes=answer.codes, expires=answer.expires)

    def release(self, reserve_id: str, codes: Collection[str]) -> int:
        """See `CodeService.release`."""
        released = 0
        for some in different(codes, MOST_CODES):
            call = self._post("/releases", {"reserveId": reserve_id, "codes": some})
            released += self._read(Released, call).released
        return released

    def assign(
        self, campaign_id: str, assignments: Sequence[Assignment]
    ) -> Sequence[AssignmentResult]:
        """See `CodeService.assign`."""
        if len(assignments) > MOST_ASSIGNMENTS:
            raise RejectRecord(f"more than {MOST_ASSIGNMENTS} assignments")
        if not assignments:
            return ()
        call = self._post("/assignments", assignments_body(campaign_id, assignments))
        return results(self._sent(call), call, len(assignments))

    def available(self, campaign_id: str) -> int:
        """See `CodeService.available`."""
        call = self._get("/availability", ("campaignId", campaign_id))
        return self._read(Available, call).available
