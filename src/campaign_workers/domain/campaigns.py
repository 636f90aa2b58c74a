"""Campaigns and their markets, as the campaign service knows them."""

from enum import StrEnum

import attrs


class CampaignType(StrEnum):
    """How fans come into a campaign."""

    REGISTRATION = "registration"
    FANLIST = "fanlist"


class TicketType(StrEnum):
    """Who manages a market's codes: the ticketing platform (`TM`) or we (`NON_TM`)."""

    TM = "TM"
    NON_TM = "NON_TM"


@attrs.frozen(kw_only=True)
class Market:
    """A city or venue of a campaign."""

    market_id: str
    name: str = ""
    city: str = ""
    timezone: str | None = None
    ticket_type: TicketType = TicketType.TM


@attrs.frozen(kw_only=True)
class Campaign:
    """A campaign: its options, its markets and where its statistics are posted.

    `scoring_type` names the rank formula (`domain.ranks`); `half_life` belongs to `exponential`.
    """

    campaign_id: str
    type: CampaignType = CampaignType.REGISTRATION
    status: str = "OPEN"
    name: str = ""
    category_id: int | None = None
    artist: str | None = None
    allow_intl_phones: bool = False
    scoring_type: str = "linear"
    half_life: float | None = None
    stats_channels: tuple[str, ...] = ()
    markets: tuple[Market, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether fans can still register."""
        return self.status == "OPEN"
