"""The entry service, as `schemas/openapi/entry.yaml` documents it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from campaign_workers.adapters.http.answers import FoundCodes
from campaign_workers.adapters.http.assigning import MOST_ASSIGNMENTS, assignments_body, results
from campaign_workers.adapters.http.batching import batches, different
from campaign_workers.adapters.http.client import BlockingClient
from campaign_workers.adapters.http.limits import HttpLimits
from campaign_workers.domain.codes import NO_MARKET, Assignment, AssignmentResult
from campaign_workers.ports.services import EligibleQuery
from campaign_workers.ports.system import Secrets

if TYPE_CHECKING:
    import polars as pl

PAGE_SIZE: Final = 5_000
MOST_FANS: Final = 1_000


class HttpEntryService(BlockingClient):
    """Serves `EntryService`; candidates come by pages, one of which is in memory at a time."""

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
        """See `EntryService.eligible`; nothing is asked for before the first page is."""
        from campaign_workers.adapters.http.candidate_pages import page

        search, cursor = _search(query, self._page_size), None
        while True:
            call = self._search("/candidates/search", search | {"cursor": cursor})
            frame, following = page(self._sent(call), call)
            yield frame
            if following is None:
                return
            if following == cursor:
                raise call.misread("next", "the cursor of the same page")
            cursor = following

    def assign_codes(
        self, campaign_id: str, assignments: Sequence[Assignment]
    ) -> Sequence[AssignmentResult]:
        """See `EntryService.assign_codes`."""
        found: list[AssignmentResult] = []
        for some in batches(assignments, MOST_ASSIGNMENTS):
            call = self._post("/code-assignments", assignments_body(campaign_id, some))
            found += results(self._sent(call), call, len(some))
        return tuple(found)

    def set_verdicts(
        self, campaign_id: str, global_user_ids: Collection[str], *, selected: bool
    ) -> None:
        """See `EntryService.set_verdicts`."""
        for fans in different(global_user_ids, MOST_FANS):
            body = {"campaignId": campaign_id, "globalUserIds": fans, "selected": selected}
            self._sent(self._post("/verdicts", body, expects=204))

    def codes(
        self, campaign_id: str, global_user_ids: Collection[str]
    ) -> Mapping[str, Mapping[str, tuple[str, datetime]]]:
        """See `EntryService.codes`."""
        found: dict[str, dict[str, tuple[str, datetime]]] = {}
        for fans in different(global_user_ids, MOST_FANS):
            body = {"campaignId": campaign_id, "globalUserIds": fans}
            answer = self._read(FoundCodes, self._search("/codes/search", body))
            found |= {
                row.global_user_id: {
                    given.market_id or NO_MARKET: (given.code, given.created) for given in row.codes
                }
                for row in answer.fans
                if row.codes
            }
        return found


def _search(query: EligibleQuery, page_size: int) -> dict[str, Any]:
    return {
        "campaignId": query.campaign_id,
        "marketIds": list(query.market_ids),
        "minScore": query.min_score,
        "maxScore": query.max_score,
        "reassign": query.reassign,
        "limit": page_size,
    }
