"""The markets of a wave preparation: a market details file laid over the campaign's markets."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import attrs

from campaign_workers.domain.campaigns import Market, TicketType
from campaign_workers.domain.csv.rows import Row
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.selection.options import LARGEST_LIMIT
from campaign_workers.domain.storage.layout import validate_key_id

REQUIRED_COLUMNS: Final = ("marketId", "marketName", "ticketType", "limit")


@attrs.frozen(kw_only=True)
class WaveMarket:
    """A market of the run: how many it takes, who makes its codes, and what its fans are sent."""

    market_id: str
    name: str
    ticket_type: TicketType
    limit: int
    link: str = ""
    sms_text: str = ""

    @property
    def is_external(self) -> bool:
        """Whether its codes come from the code service."""
        return self.ticket_type is TicketType.NON_TM


def read_market_details(
    rows: Iterable[Row], markets: Iterable[Market], *, file: str
) -> tuple[WaveMarket, ...]:
    """The markets of the run, in the file's order; markets that it does not name take no part.

    An empty name or ticket type is the campaign's own; any other cell of the file counts before
    what the campaign says.

    Raises:
        BadInput: a market unknown to the campaign or twice, a limit that is no whole number from
            0, another ticket type than TM and NON_TM, or a presale date that is none; names file,
            line and field.
    """
    known = {market.market_id: market for market in markets}
    read: dict[str, WaveMarket] = {}
    for row in rows:
        try:
            market = _market(row.cells, known)
        except BadInput as why:
            raise BadInput(
                why.problem, file=file, line=row.line, field=why.field, remedy=why.remedy
            ) from None
        if market.market_id in read:
            raise BadInput("comes twice", file=file, line=row.line, field="marketId")
        read[market.market_id] = market
    return tuple(read.values())


def _market(cells: Mapping[str, str], known: Mapping[str, Market]) -> WaveMarket:
    trimmed = {column: cell.strip() for column, cell in cells.items()}
    market = known.get(validate_key_id(trimmed["marketId"], "marketId"))
    if market is None:
        raise BadInput("not a market of the campaign", field="marketId")
    _check_moment(trimmed.get("presaleDateTime", ""))
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
        raise BadInput("unknown", field="ticketType", remedy=f"use {', '.join(TicketType)}")
    return TicketType(cell)


def _limit(cell: str) -> int:
    is_whole = cell.isascii() and cell.isdecimal() and len(cell) <= len(str(LARGEST_LIMIT))
    if not is_whole or int(cell) > LARGEST_LIMIT:
        raise BadInput("not a whole number from 0", field="limit", remedy="0 selects nobody")
    return int(cell)


def _check_moment(cell: str) -> None:
    try:
        moment = datetime.fromisoformat(cell) if cell else None
    except ValueError:
        raise BadInput("not an ISO-8601 date and time", field="presaleDateTime") from None
    if moment is not None and moment.tzinfo is None:
        raise BadInput("without its offset from UTC", field="presaleDateTime")
