"""Operations of the entry service, and the searches whose pages are still being read."""

from collections import OrderedDict
from collections.abc import Mapping
from itertools import count
from threading import Lock
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers.domain.codes import NO_MARKET
from campaign_workers.domain.lottery import lottery_numbers
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.wire import to_camel
from campaign_workers.doubles.operations import Handlers, assignment_results, parse_assignments
from campaign_workers.doubles.problems import Problem, Reply
from campaign_workers.doubles.requests import ValidatedRequest
from campaign_workers.ports.entry_service import EligibleQuery, EntryService

MAX_SEARCHES: Final = 16
PAGE_SIZE: Final = 5_000
_FAN: Final = "global_user_id"


@attrs.define
class SearchResults:
    """The results of the latest `MAX_SEARCHES` searches with more than one page."""

    _frames: OrderedDict[str, pl.DataFrame] = attrs.field(factory=OrderedDict, init=False)
    _numbers: "count[int]" = attrs.field(factory=count, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False, repr=False)

    def save(self, frame: pl.DataFrame) -> str:
        """Save a result and return its name."""
        with self._lock:
            name = f"search-{next(self._numbers)}"
            self._frames[name] = frame
            if len(self._frames) > MAX_SEARCHES:
                self._frames.popitem(last=False)
            return name

    def load(self, cursor: str) -> tuple[str, pl.DataFrame, int]:
        """Return the name and the result of the cursor's search, and the row it points to.

        Raises:
            Problem: the cursor is invalid or its search has expired.
        """
        name, _, position = cursor.partition(":")
        with self._lock:
            if name not in self._frames or not (position.isascii() and position.isdigit()):
                raise Problem("gone")
            self._frames.move_to_end(name)
            return name, self._frames[name], int(position[:9])


@attrs.frozen
class EntryOperations:
    """Operations of `schemas/openapi/entry.yaml`."""

    entries: EntryService
    searches: SearchResults = attrs.field(factory=SearchResults, init=False)

    @property
    def handlers(self) -> Handlers:
        """The handlers by operation id."""
        return {
            "searchCandidates": self.search,
            "assignCodes": self.assign,
            "searchCodes": self.codes,
        }

    def search(self, request: ValidatedRequest) -> Reply:
        """Return a page of candidates."""
        limit, cursor = request.body.get("limit", PAGE_SIZE), request.body.get("cursor")
        if cursor is None:
            name, start = "", 0
            frame = _ordered_candidates(self.entries, request.body)
        else:
            name, frame, start = self.searches.load(cursor)
        end = start + int(limit)
        next_cursor = None
        if end < len(frame):
            next_cursor = f"{name or self.searches.save(frame)}:{end}"
        return Reply(content={"candidates": _rows(frame[start:end]), "next": next_cursor})

    def assign(self, request: ValidatedRequest) -> Reply:
        """Assign codes to fans."""
        campaign_id = request.body["campaignId"]
        results = self.entries.assign_codes(campaign_id, parse_assignments(request))
        return assignment_results(results)

    def codes(self, request: ValidatedRequest) -> Reply:
        """Return the codes of fans."""
        found = self.entries.codes(request.body["campaignId"], request.body["globalUserIds"])
        rows = [
            {
                "globalUserId": fan,
                "codes": [
                    {"marketId": _market(market), "code": code, "created": iso_utc(created)}
                    for market, (code, created) in codes.items()
                ],
            }
            for fan, codes in found.items()
        ]
        return Reply(content={"fans": rows})


def _ordered_candidates(entries: EntryService, body: Mapping[str, Any]) -> pl.DataFrame:
    query = EligibleQuery(
        campaign_id=body["campaignId"],
        market_ids=tuple(body["marketIds"]),
        min_score=body.get("minScore"),
        max_score=body.get("maxScore"),
        reassign=body.get("reassign", False),
    )
    pages = [page for page in entries.eligible(query) if len(page)]
    if not pages:
        return pl.DataFrame()
    found = pl.concat(pages)
    match body.get("order"):
        case "score":
            return found.sort("score", _FAN, descending=[True, False])
        case "random":
            numbers = lottery_numbers(found[_FAN], seed="", campaign_id=query.campaign_id)
            return found.sort(numbers, _FAN)
    return found.sort(_FAN)


def _rows(page: pl.DataFrame) -> list[dict[str, Any]]:
    rows = page.rename({name: to_camel(name) for name in page.columns}).to_dicts()
    for row in rows:
        row["codes"] = [
            {"marketId": _market(code["market_id"]), "code": code["code"]} for code in row["codes"]
        ]
    return rows


def _market(market_id: str) -> str | None:
    return None if market_id == NO_MARKET else market_id
