"""Campaigns and their markets, as the campaign service knows them."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import reduce
from typing import Any, Final, TypeVar

import attrs

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.storage.layout import validate_key_id


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


_TICKETERS: Final = {TicketType.TM: "TM", TicketType.NON_TM: "OTHER"}


def read_campaign(document: object) -> Campaign:
    """A campaign from its JSON document; what is absent or null takes the default.

    Raises:
        BadInput: it is no object, its id cannot go into a key, or a field is wrong.
    """
    node = _Node(document)
    return Campaign(
        campaign_id=validate_key_id(node.value("_id", str), "_id"),
        type=node.choice("type", CampaignType, CampaignType.REGISTRATION),
        status=node.value("status", str) or "OPEN",
        name=node.value("name", str) or "",
        category_id=node.value("categoryId", int),
        artist=node.value("artist.name", str),
        allow_intl_phones=node.value("options.allowIntlPhones", bool) or False,
        scoring_type=node.value("scoringType", str) or "linear",
        half_life=node.value("halfLife", float),
        stats_channels=tuple(channel.itself(str) for channel in node.items("slack.channels.stats")),
        markets=_different(read_market(market) for market in node.items("markets")),
    )


def read_market(document: object) -> Market:
    """A market from its JSON document.

    Raises:
        BadInput: it is no object, has no id, or a field is wrong.
    """
    node = document if isinstance(document, _Node) else _Node(document)
    ticketers = {name: ticket_type for ticket_type, name in _TICKETERS.items()}
    ticketer = node.value("ticketer", str) or "TM"
    if ticketer not in ticketers:
        raise BadInput(f"not one of {', '.join(ticketers)}", field=node.place("ticketer"))
    return Market(
        market_id=validate_key_id(node.value("id", str), node.place("id")),
        name=node.value("name", str) or "",
        city=node.value("city", str) or "",
        timezone=node.value("timezone", str),
        ticket_type=ticketers[ticketer],
    )


def write_campaign(campaign: Campaign) -> dict[str, Any]:
    """The JSON document that `read_campaign` reads as this campaign."""
    document = {
        "_id": campaign.campaign_id,
        "type": str(campaign.type),
        "status": campaign.status,
        "name": campaign.name,
        "categoryId": campaign.category_id,
        "artist": None if campaign.artist is None else {"name": campaign.artist},
        "options": {"allowIntlPhones": campaign.allow_intl_phones},
        "scoringType": campaign.scoring_type,
        "halfLife": campaign.half_life,
        "slack": {"channels": {"stats": list(campaign.stats_channels)}},
        "markets": [write_market(market) for market in campaign.markets],
    }
    return {name: value for name, value in document.items() if value is not None}


def write_market(market: Market) -> dict[str, Any]:
    """The JSON document that `read_market` reads as this market."""
    document = {
        "id": market.market_id,
        "name": market.name,
        "city": market.city,
        "timezone": market.timezone,
        "ticketer": _TICKETERS[market.ticket_type],
    }
    return {name: value for name, value in document.items() if value is not None}


def _different(markets: Iterable[Market]) -> tuple[Market, ...]:
    by_id: dict[str, Market] = {}
    for position, market in enumerate(markets):
        if market.market_id in by_id:
            raise BadInput("a market of this id comes before", field=f"markets[{position}].id")
        by_id[market.market_id] = market
    return tuple(by_id.values())


_CALLED: Final[Mapping[type, str]] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
}

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


@attrs.frozen
class _Node:
    """A part of a document that can say where it stands."""

    content: object
    path: str = ""

    def place(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def child(self, name: str) -> "_Node":
        if self.content is None and self.path:
            return _Node(None, self.place(name))
        if not isinstance(self.content, Mapping):
            raise BadInput("not an object", field=self.path or None)
        return _Node(self.content.get(name), self.place(name))

    def itself(self, kind: type[_T]) -> _T:
        content = self.content
        if kind is float and type(content) is int:
            content = float(content)
        if type(content) is not kind:
            raise BadInput(f"not {_CALLED[kind]}", field=self.path)
        return content

    def value(self, path: str, kind: type[_T]) -> _T | None:
        node = reduce(_Node.child, path.split("."), self)
        return None if node.content is None else node.itself(kind)

    def items(self, path: str) -> "Iterator[_Node]":
        for position, item in enumerate(self.value(path, list) or ()):
            yield _Node(item, f"{self.place(path)}[{position}]")

    def choice(self, path: str, kind: type[_E], default: _E) -> _E:
        text = self.value(path, str)
        if text is None:
            return default
        if text not in set(kind):
            raise BadInput(f"not one of {', '.join(kind)}", field=self.place(path))
        return kind(text)
