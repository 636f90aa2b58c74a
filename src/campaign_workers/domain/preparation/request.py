"""Preparing a wave: what is asked for, and what is answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self

import attrs
import polars as pl

from campaign_workers.domain.codes import Reservation
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.preparation.market_details import WaveMarket
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.running.events import optional_flag, optional_number
from campaign_workers.domain.selection.options import MarketQuota, SelectionOptions
from campaign_workers.domain.storage.layout import validate_key_id

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
    """An invocation of processSmsWaveFiles; `flags` and `bounds` by their names on the wire."""

    campaign_id: str
    date_key: str
    flags: Mapping[str, bool]
    bounds: Mapping[str, float | None]

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Read an invocation; what it does not know is ignored.

        Raises:
            BadInput: an id is missing or cannot go into a key, or an option is of another type.
        """
        return cls(
            campaign_id=validate_key_id(payload.get("campaignId"), "campaignId"),
            date_key=validate_key_id(payload.get("dateKey"), "dateKey"),
            flags={name: optional_flag(payload, name, usual) for name, usual in _FLAGS.items()},
            bounds={name: optional_number(payload, name) for name in _BOUNDS},
        )

    def wire(self) -> dict[str, Any]:
        """The request with every option spelled out."""
        ids = {"campaignId": self.campaign_id, "dateKey": self.date_key}
        return ids | dict(self.flags) | dict(self.bounds)

    def options(self, seed: str) -> SelectionOptions:
        """The options of the selection, with the campaign's seed."""
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
        """The name of a market's reservation: a run that is repeated gets its codes again."""
        return f"wavePrep/{self.campaign_id}/{self.date_key}/{market_id}"


Reservations = Mapping[str, Reservation]
"""By market id; markets whose codes the ticketing platform manages have none."""


def quotas(markets: Sequence[WaveMarket], reserved: Reservations) -> tuple[MarketQuota, ...]:
    """How many each market can take: its limit, or as many external codes as it got."""
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
    """What became of each market; `short` is how many codes were missing to its limit."""
    outcome = {row["market_id"]: row for row in cutoffs.to_dicts()}
    return [
        {
            "marketId": market.market_id,
            "ticketType": str(market.ticket_type),
            "limit": market.limit,
            "quota": outcome[market.market_id]["limit"],
            "short": market.limit - outcome[market.market_id]["limit"],
            "taken": outcome[market.market_id]["taken"],
        }
        for market in markets
    ]


def first_expiry(reserved: Reservations) -> str | None:
    """When the first reservation runs out, as text; until then the wave has to be assigned."""
    expiries: list[datetime] = [each.expires for each in reserved.values() if each.codes]
    return iso_utc(min(expiries)) if expiries else None


def refuse_no_market(markets: Sequence[WaveMarket], file: str) -> None:
    """A preparation without a market would look like one in which nobody won.

    Raises:
        BadInput: there is none.
    """
    if not markets:
        raise BadInput("no market", file=file, remedy="give each market of the wave a row")
