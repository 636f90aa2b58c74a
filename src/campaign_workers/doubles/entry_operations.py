"""The entry service's operations."""

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
from campaign_workers.doubles.code_assignments import assignments, results
from campaign_workers.doubles.handling import Handlers
from campaign_workers.doubles.problems import Problem, Reply
from campaign_workers.doubles.requests import Asked
from campaign_workers.ports.entry_service import EligibleQuery, EntryService

MOST_SEARCHES: Final = 16
PAGE_SIZE: Final = 5_000
_FAN: Final = "global_user_id"


@attrs.define
class Searches:
    """What was found by the latest searches whose pages are still being read."""

    _found: OrderedDict[str, pl.DataFrame] = attrs.field(factory=OrderedDict, init=False)
    _names: "count[int]" = attrs.field(factory=count, init=False)
    _turn: Lock = attrs.field(factory=Lock, init=False, repr=False)

    def keep(self, frame: pl.DataFrame) -> str:
        """Keep a frame; its name."""
        with self._turn:
            name = f"search-{next(self._names)}"
            self._found[name] = frame
            if len(self._found) > MOST_SEARCHES:
                self._found.popitem(last=False)
            return name

    def at(self, cursor: str) -> tuple[str, pl.DataFrame, int]:
        """The search that a cursor belongs to, and where it stands.

        Raises:
            Problem: there is none.
        """
        name, _, position = cursor.partition(":")
        with self._turn:
            if name not in self._found or not (position.isascii() and position.isdigit()):
                raise Problem("gone")
            self._found.move_to_end(name)
            return name, self._found[name], int(position[:9])


@attrs.frozen
class EntryOperations:
    """See `schemas/openapi/entry.yaml`."""

    entries: EntryService
    searches: Searches = attrs.field(factory=Searches, init=False)

    @property
    def handlers(self) -> Handlers:
        """By operation."""
        return {
            "searchCandidates": self.search,
            "assignCodes": self.assign,
            "searchCodes": self.codes,
        }

    def search(self, asked: Asked) -> Reply:
        """A page of candidates."""
        limit, cursor = asked.body.get("limit", PAGE_SIZE), asked.body.get("cursor")
        if cursor is None:
            name, start = "", 0
            found = _ordered(self.entries, asked.body)
        else:
            name, found, start = self.searches.at(cursor)
        end = start + int(limit)
        following = None
        if end < len(found):
            following = f"{name or self.searches.keep(found)}:{end}"
        return Reply(content={"candidates": _rows(found[start:end]), "next": following})

    def assign(self, asked: Asked) -> Reply:
        """Give fans codes."""
        return results(self.entries.assign_codes(asked.body["campaignId"], assignments(asked)))

    def codes(self, asked: Asked) -> Reply:
        """Codes of fans."""
        found = self.entries.codes(asked.body["campaignId"], asked.body["globalUserIds"])
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


def _ordered(entries: EntryService, body: Mapping[str, Any]) -> pl.DataFrame:
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
            {"marketId": _market(given["market_id"]), "code": given["code"]}
            for given in row["codes"]
        ]
    return rows


def _market(market_id: str) -> str | None:
    return None if market_id == NO_MARKET else market_id
