"""A wave preparation: its request, its markets, and their quotas and results."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self

import attrs
import polars as pl

from campaign_workers.domain.campaigns import Market, TicketType
from campaign_workers.domain.codes import Reservation
from campaign_workers.domain.csv.rows import Row
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.running.events import optional_flag, optional_number
from campaign_workers.domain.selection.options import LARGEST_LIMIT, MarketQuota, SelectionOptions
from campaign_workers.domain.storage.layout import validate_key_id

MARKET_DETAILS_COLUMNS: Final = ("marketId", "marketName", "ticketType", "limit")
"""The required columns of a market details file."""

_FLAGS: Final = {
    "reassign": False,
    "orderByPreference": False,
    "singleMarket": True,
    "randomSelection": False,
    "excludeIntlPhone": False,
}
_BOUNDS: Final = ("minScore", "maxScore")


@attrs.frozen(kw_only=True)
class WavePrepRequest:
    """A request to prepare a wave; `flags` and `bounds` are keyed by their JSON names."""

    campaign_id: str
    date_key: str
    flags: Mapping[str, bool]
    bounds: Mapping[str, float | None]

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Parse a request; unknown fields are ignored.

        Raises:
            BadInput: an id is missing or not safe in a key, or an option has the wrong type.
        """
        return cls(
            campaign_id=validate_key_id(payload.get("campaignId"), "campaignId"),
            date_key=validate_key_id(payload.get("dateKey"), "dateKey"),
            flags={name: optional_flag(payload, name, default) for name, default in _FLAGS.items()},
            bounds={name: optional_number(payload, name) for name in _BOUNDS},
        )

    def to_json(self) -> dict[str, Any]:
        """Return the request as a JSON object with every option."""
        ids = {"campaignId": self.campaign_id, "dateKey": self.date_key}
        return ids | dict(self.flags) | dict(self.bounds)

    def options(self, seed: str) -> SelectionOptions:
        """Return the options of the selection, with the campaign's seed."""
        return SelectionOptions(
            campaign_id=self.campaign_id,
            single_market=self.flags["singleMarket"],
            order_by_preference=self.flags["orderByPreference"],
            random_selection=self.flags["randomSelection"],
            reassign=self.flags["reassign"],
            exclude_intl_phone=self.flags["excludeIntlPhone"],
            min_score=self.bounds["minScore"],
            max_score=self.bounds["maxScore"],
            seed=seed,
        )

    def reserve_id(self, market_id: str) -> str:
        """Return the id of a market's reservation; a repeated run gets the same codes again."""
        return f"wavePrep/{self.campaign_id}/{self.date_key}/{market_id}"


# --- market details ---


@attrs.frozen(kw_only=True)
class WaveMarket:
    """A market of the wave: its limit, the source of its codes, and the text for its fans."""

    market_id: str
    name: str
    ticket_type: TicketType
    limit: int
    link: str = ""
    sms_text: str = ""

    @property
    def is_external(self) -> bool:
        """Whether the codes of the market come from the code service."""
        return self.ticket_type is TicketType.NON_TM


def parse_market_details(
    rows: Iterable[Row], markets: Iterable[Market], *, file: str
) -> tuple[WaveMarket, ...]:
    """Return the markets of the wave in the order of the market details file.

    A non-empty cell overrides the campaign's name or ticket type of the market. Markets that the
    file does not list take no part in the wave.

    Raises:
        BadInput: a market is unknown or listed twice, or a limit, ticket type or presale date is
            invalid; names file, line and field.
    """
    known = {market.market_id: market for market in markets}
    parsed: dict[str, WaveMarket] = {}
    for row in rows:
        try:
            market = _market(row.cells, known)
        except BadInput as why:
            raise BadInput(
                why.problem, file=file, line=row.line, field=why.field, remedy=why.remedy
            ) from None
        if market.market_id in parsed:
            raise BadInput("duplicate market", file=file, line=row.line, field="marketId")
        parsed[market.market_id] = market
    return tuple(parsed.values())


def _market(cells: Mapping[str, str], known: Mapping[str, Market]) -> WaveMarket:
    trimmed = {column: cell.strip() for column, cell in cells.items()}
    market = known.get(validate_key_id(trimmed["marketId"], "marketId"))
    if market is None:
        raise BadInput(
            "unknown market", field="marketId", remedy="add it to the campaign or remove the row"
        )
    _validate_moment(trimmed.get("presaleDateTime", ""))
    return WaveMarket(
        market_id=market.market_id,
        name=trimmed["marketName"] or market.name,
        ticket_type=_ticket_type(trimmed["ticketType"], market.ticket_type),
        limit=_limit(trimmed["limit"]),
        link=trimmed.get("link", ""),
        sms_text=trimmed.get("smsText", ""),
    )


def _ticket_type(cell: str, default: TicketType) -> TicketType:
    if not cell:
        return default
    if cell not in set(TicketType):
        raise BadInput(f"expected one of {', '.join(TicketType)}", field="ticketType")
    return TicketType(cell)


def _limit(cell: str) -> int:
    is_integer = cell.isascii() and cell.isdecimal() and len(cell) <= len(str(LARGEST_LIMIT))
    if not is_integer or int(cell) > LARGEST_LIMIT:
        raise BadInput(
            "expected an integer from 0 to 2^63 - 1",
            field="limit",
            remedy="0 selects no fan",
        )
    return int(cell)


def _validate_moment(cell: str) -> None:
    try:
        moment = datetime.fromisoformat(cell) if cell else None
    except ValueError:
        raise BadInput("expected an ISO-8601 date and time", field="presaleDateTime") from None
    if moment is not None and moment.tzinfo is None:
        raise BadInput("expected a date and time with its offset from UTC", field="presaleDateTime")


# --- quotas and results ---

Reservations = Mapping[str, Reservation]
"""Market id -> reservation; markets of the ticketing platform have none."""


def quotas(markets: Sequence[WaveMarket], reserved: Reservations) -> tuple[MarketQuota, ...]:
    """Return the quota of each market: its limit, or fewer if fewer codes were reserved."""
    return tuple(
        MarketQuota(
            market.market_id,
            min(market.limit, len(reserved[market.market_id].codes))
            if market.market_id in reserved
            else market.limit,
        )
        for market in markets
    )


def market_results(markets: Sequence[WaveMarket], cutoffs: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the result of each market; `short` is the number of codes missing to its limit."""
    cutoff_of = {row["market_id"]: row for row in cutoffs.to_dicts()}
    return [
        {
            "marketId": market.market_id,
            "ticketType": str(market.ticket_type),
            "limit": market.limit,
            "quota": cutoff_of[market.market_id]["limit"],
            "short": market.limit - cutoff_of[market.market_id]["limit"],
            "taken": cutoff_of[market.market_id]["taken"],
        }
        for market in markets
    ]


def first_expiry(reserved: Reservations) -> str | None:
    """Return when the first reservation expires; the wave has to be assigned before."""
    expiries: list[datetime] = [each.expires for each in reserved.values() if each.codes]
    return iso_utc(min(expiries)) if expiries else None


def require_markets(markets: Sequence[WaveMarket], file: str) -> None:
    """Check that the wave has a market; without one it would look as if no fan was selected.

    Raises:
        BadInput: there is no market.
    """
    if not markets:
        raise BadInput("no markets", file=file, remedy="add a row for each market of the wave")
