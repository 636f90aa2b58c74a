"""Client of the code service, as documented in `schemas/openapi/code.yaml`."""

from collections.abc import Collection, Sequence
from typing import Final

from campaign_workers.adapters.http._client.client import BlockingClient
from campaign_workers.adapters.http._client.requests import unique_batches
from campaign_workers.adapters.http._client.responses import (
    MAX_ASSIGNMENTS,
    ReleaseResponse,
    ReservationResponse,
    assignments_body,
    parse_assignment_results,
    parse_response,
)
from campaign_workers.domain.codes import Assignment, AssignmentResult, Reservation
from campaign_workers.domain.errors import RejectRecord

MAX_CODES: Final = 10_000


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
        request = self._post("/reservations", body)
        response = parse_response(ReservationResponse, self._send(request), request)
        if response.reserve_id != reserve_id:
            raise request.malformed_response("reserveId", "the id of another reservation")
        if len(response.codes) > len(set(response.codes)) or len(response.codes) > wanted:
            raise request.malformed_response("codes", "a duplicate, or more codes than requested")
        return Reservation(reserve_id=reserve_id, codes=response.codes, expires=response.expires)

    def release(self, reserve_id: str, codes: Collection[str]) -> int:
        """See `CodeService.release`."""
        released = 0
        for batch in unique_batches(codes, MAX_CODES):
            request = self._post("/releases", {"reserveId": reserve_id, "codes": batch})
            released += self._fetch(ReleaseResponse, request).released
        return released

    def assign(
        self, campaign_id: str, assignments: Sequence[Assignment]
    ) -> Sequence[AssignmentResult]:
        """See `CodeService.assign`."""
        if len(assignments) > MAX_ASSIGNMENTS:
            raise RejectRecord(f"more than {MAX_ASSIGNMENTS} assignments")
        if not assignments:
            return ()
        request = self._post("/assignments", assignments_body(campaign_id, assignments))
        return parse_assignment_results(self._send(request), request, len(assignments))
