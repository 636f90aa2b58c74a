"""Client of the entry service, as documented in `schemas/openapi/entry.yaml`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from campaign_workers.adapters.http._client.client import BlockingClient
from campaign_workers.adapters.http._client.requests import (
    HttpLimits,
    batches,
    unique_batches,
)
from campaign_workers.adapters.http._client.responses import (
    MAX_ASSIGNMENTS,
    CodesResponse,
    assignments_body,
    parse_assignment_results,
)
from campaign_workers.domain.codes import NO_MARKET, Assignment, AssignmentResult
from campaign_workers.ports.entry_service import EligibleQuery
from campaign_workers.ports.system import Secrets

if TYPE_CHECKING:
    import polars as pl

PAGE_SIZE: Final = 5_000
MAX_FANS: Final = 1_000


class HttpEntryService(BlockingClient):
    """Serves `EntryService`; candidates arrive in pages, one of which is in memory at a time."""

    name = "entry"

    def __init__(
        self,
        base_url: str,
        secrets: Secrets,
        *,
        limits: HttpLimits | None = None,
        page_size: int = PAGE_SIZE,
    ) -> None:
        super().__init__(base_url, secrets, limits=limits)
        self._page_size = page_size

    def eligible(self, query: EligibleQuery) -> "Iterator[pl.DataFrame]":
        """See `EntryService.eligible`; the first request is sent when the iteration starts."""
        # Imported here, so that workers which only assign codes do not load Polars.
        from campaign_workers.adapters.http.candidate_pages import parse_page

        search, cursor = _search_body(query, self._page_size), None
        while True:
            request = self._search("/candidates/search", search | {"cursor": cursor})
            frame, next_cursor = parse_page(self._send(request), request)
            yield frame
            if next_cursor is None:
                return
            if next_cursor == cursor:
                raise request.malformed_response("next", "the cursor of the same page")
            cursor = next_cursor

    def assign_codes(
        self, campaign_id: str, assignments: Sequence[Assignment]
    ) -> Sequence[AssignmentResult]:
        """See `EntryService.assign_codes`."""
        results: list[AssignmentResult] = []
        for batch in batches(assignments, MAX_ASSIGNMENTS):
            request = self._post("/code-assignments", assignments_body(campaign_id, batch))
            results += parse_assignment_results(self._send(request), request, len(batch))
        return tuple(results)

    def codes(
        self, campaign_id: str, global_user_ids: Collection[str]
    ) -> Mapping[str, Mapping[str, tuple[str, datetime]]]:
        """See `EntryService.codes`."""
        found: dict[str, dict[str, tuple[str, datetime]]] = {}
        for fans in unique_batches(global_user_ids, MAX_FANS):
            body = {"campaignId": campaign_id, "globalUserIds": fans}
            response = self._fetch(CodesResponse, self._search("/codes/search", body))
            found |= {
                fan.global_user_id: {
                    row.market_id or NO_MARKET: (row.code, row.created) for row in fan.codes
                }
                for fan in response.fans
                if fan.codes
            }
        return found


def _search_body(query: EligibleQuery, page_size: int) -> dict[str, Any]:
    return {
        "campaignId": query.campaign_id,
        "marketIds": list(query.market_ids),
        "minScore": query.min_score,
        "maxScore": query.max_score,
        "reassign": query.reassign,
        "limit": page_size,
    }
