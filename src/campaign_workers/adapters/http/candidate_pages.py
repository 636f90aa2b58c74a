"""Pages of candidates from the entry service as data frames.

Each column is checked as a whole, because checking fan by fan is many times slower.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import polars as pl

from campaign_workers.adapters.http._client.requests import ServiceRequest
from campaign_workers.domain.codes import NO_MARKET

_Row = Mapping[str, Any]
_Types = frozenset[type]

_TEXT: Final = frozenset({str})
_NUMBER: Final = frozenset({int, float})
_FLAG: Final = frozenset({bool})
_INTEGER: Final = frozenset({int})
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
    ("verdict", "verdict", pl.Int8(), _INTEGER),
    ("previously_selected", "previouslySelected", pl.Boolean(), _FLAG),
    ("opt_in_sms", "optInSms", pl.Boolean(), _FLAG | _NULL),
    ("codes", "codes", _CODE, _LIST | _NULL),
)
"""Column name, JSON name, column type, and the types that the JSON values may have."""


def parse_page(content: Any, request: ServiceRequest) -> tuple[pl.DataFrame, str | None]:
    """Return a page of candidates with the columns of `EntryService.eligible`, and the next cursor.

    Raises:
        RetryLater: the page is not as documented; the message names the field.
    """
    if not isinstance(content, Mapping):
        raise request.malformed_response("body", "not an object")
    rows, next_cursor = content.get("candidates"), content.get("next")
    if not isinstance(rows, list) or not {dict} >= _types(rows):
        raise request.malformed_response("candidates", "not a list of objects")
    if not isinstance(next_cursor, str | None):
        raise request.malformed_response("next", "not a string")
    page = _Page(rows, request)
    columns = {name: page.column(wire, dtype, types) for name, wire, dtype, types in COLUMNS}
    return pl.DataFrame(columns), next_cursor


class _Page:
    """The rows of a page, which are checked and extracted column by column."""

    def __init__(self, rows: Sequence[_Row], request: ServiceRequest) -> None:
        self._rows, self._request = rows, request

    def column(self, name: str, dtype: pl.DataType, types: _Types) -> pl.Series:
        values: list[Any] = [row.get(name) for row in self._rows]
        self._require(name, values, types)
        if name in _NESTED_COLUMNS:
            values = _NESTED_COLUMNS[name](self, values)
        elif types is _NUMBER:
            values = [float(value) for value in values]
        elif types is _INTEGER and set(values) - {1}:
            raise self._request.malformed_response(name, "not 1")
        return pl.Series(values, dtype=dtype)

    def markets(self, lists: list[list[Any]]) -> list[list[str]]:
        self._require("marketIds", chain.from_iterable(lists), _TEXT)
        return lists

    def codes(self, lists: list[list[Any] | None]) -> list[list[dict[str, str]]]:
        """Return the codes of each fan by market; fans without codes may lack the list."""
        rows = [code for codes in lists for code in codes or ()]
        self._require("codes", rows, frozenset({dict}))
        self._require("codes.code", [code.get("code") for code in rows], _TEXT)
        self._require("codes.marketId", [code.get("marketId") for code in rows], _TEXT | _NULL)
        return [
            [{"market_id": c.get("marketId") or NO_MARKET, "code": c["code"]} for c in codes or ()]
            for codes in lists
        ]

    def _require(self, name: str, values: Iterable[Any], types: _Types) -> None:
        if not _types(values) <= types:
            raise self._request.malformed_response(name, "missing, or of the wrong type")


_NESTED_COLUMNS: Final[Mapping[str, Callable[[_Page, list[Any]], list[Any]]]] = {
    "marketIds": _Page.markets,
    "codes": _Page.codes,
}


def _types(values: Iterable[Any]) -> set[type]:
    return set(map(type, values))
