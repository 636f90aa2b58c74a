"""A page of candidates as a frame: each column checked as a whole, not fan by fan.

The entry service, as `schemas/openapi/entry.yaml` documents it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from campaign_workers.adapters.http._client.client import BlockingClient
from campaign_workers.adapters.http._client.code_assignments import (
    MOST_ASSIGNMENTS,
    assignments_body,
    results,
)
from campaign_workers.adapters.http._client.limits import HttpLimits
from campaign_workers.adapters.http._client.requests import Call, batches, different
from campaign_workers.adapters.http._client.responses import FoundCodes
from campaign_workers.domain.codes.assignments import NO_MARKET, Assignment, AssignmentResult
from campaign_workers.ports.entry_service import EligibleQuery
from campaign_workers.ports.system import Secrets

_Row = Mapping[str, Any]
_Types = frozenset[type]

_TEXT: Final = frozenset({str})
_NUMBER: Final = frozenset({int, float})
_FLAG: Final = frozenset({bool})
_WHOLE: Final = frozenset({int})
_LIST: Final = frozenset({list})
_NULL: Final = frozenset({type(None)})
_CODE: Final = pl.List(pl.Struct({"market_id": pl.String(), "code": pl.String()}))

COLUMNS: Final[Sequence[tuple[str, str, pl.DataType, _Types]]] = (
    ("global_user_id", "globalUserId", pl.String(), _TEXT),
    ("member_id", "memberId", pl.String(), _TEXT | _NULL),
    ("email", "email", pl.String(), _TEXT | _NULL),
    ("phone", "phone", pl.String(), _TEXT | _NULL),
    ("first_name", "firstName", pl.String(), _TEXT | _NULL),
    ("last_name", "lastName", pl.String(), _TEXT | _NULL),
    ("locale", "locale", pl.String(), _TEXT | _NULL),
    ("market_ids", "marketIds", pl.List(pl.String()), _LIST),
    ("raw_score", "rawScore", pl.Float64(), _NUMBER),
    ("score", "score", pl.Float64(), _NUMBER),
    ("verdict", "verdict", pl.Int8(), _WHOLE),
    ("previously_selected", "previouslySelected", pl.Boolean(), _FLAG),
    ("opt_in_sms", "optInSms", pl.Boolean(), _FLAG | _NULL),
    ("codes", "codes", _CODE, _LIST | _NULL),
)
"""Our name, the wire's, the type of the column, and the JSON types that it is made of."""


def page(content: Any, call: Call) -> tuple[pl.DataFrame, str | None]:
    """The candidates of a page as `EntryService.eligible` gives them, and the next cursor.

    Raises:
        RetryLater: it is not as documented; the message names the field.
    """
    if not isinstance(content, Mapping):
        raise call.misread("the whole", "no object")
    rows, following = content.get("candidates"), content.get("next")
    if not isinstance(rows, list) or not {dict} >= _types(rows):
        raise call.misread("candidates", "no list of objects")
    if not isinstance(following, str | None):
        raise call.misread("next", "no text")
    checked = _Page(rows, call)
    columns = {ours: checked.column(wire, dtype, kinds) for ours, wire, dtype, kinds in COLUMNS}
    return pl.DataFrame(columns), following


class _Page:
    """Rows whose fields are taken out column by column."""

    def __init__(self, rows: Sequence[_Row], call: Call) -> None:
        self._rows, self._call = rows, call

    def column(self, name: str, dtype: pl.DataType, kinds: _Types) -> pl.Series:
        values: list[Any] = [row.get(name) for row in self._rows]
        self._require(name, values, kinds)
        if name in _PARTS:
            values = _PARTS[name](self, values)
        elif kinds is _NUMBER:
            values = [float(value) for value in values]
        elif kinds is _WHOLE and set(values) - {1}:
            raise self._call.misread(name, "not 1")
        return pl.Series(values, dtype=dtype)

    def markets(self, lists: list[list[Any]]) -> list[list[str]]:
        self._require("marketIds", chain.from_iterable(lists), _TEXT)
        return lists

    def codes(self, lists: list[list[Any] | None]) -> list[list[dict[str, str]]]:
        """Codes by market; where a fan has none the list may be left out."""
        every = [code for codes in lists for code in codes or ()]
        self._require("codes", every, frozenset({dict}))
        self._require("codes.code", [code.get("code") for code in every], _TEXT)
        self._require("codes.marketId", [code.get("marketId") for code in every], _TEXT | _NULL)
        return [
            [{"market_id": c.get("marketId") or NO_MARKET, "code": c["code"]} for c in codes or ()]
            for codes in lists
        ]

    def _require(self, name: str, values: Iterable[Any], kinds: _Types) -> None:
        if not _types(values) <= kinds:
            raise self._call.misread(name, "missing, or of another type")


_PARTS: Final[Mapping[str, Callable[[_Page, list[Any]], list[Any]]]] = {
    "marketIds": _Page.markets,
    "codes": _Page.codes,
}


def _types(values: Iterable[Any]) -> set[type]:
    return set(map(type, values))


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
