"""Campaigns and their markets, as the campaign service stores them.

`PerCampaignRun` runs a step for each of many campaigns and isolates their failures.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import reduce
from typing import Any, Final, TypeVar

import attrs

from campaign_workers.domain.errors import BadInput, CampaignError, Fatal, RetryLater
from campaign_workers.domain.running.reports import Report, Tally, attach_report
from campaign_workers.domain.storage.layout import validate_key_id


class CampaignType(StrEnum):
    """How fans enter a campaign."""

    REGISTRATION = "registration"
    FANLIST = "fanlist"


class TicketType(StrEnum):
    """Who manages a market's codes: the ticketing platform (`TM`) or this pipeline (`NON_TM`)."""

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
    """A campaign: its options, its markets and the channels for its statistics.

    `scoring_type` names the rank formula (`domain.ranks`); `half_life` is used by `exponential`.
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


def parse_campaign(document: object) -> Campaign:
    """Parse the JSON document of a campaign; absent and null fields take their defaults.

    Raises:
        BadInput: the document is not an object, its id is not safe in a key, or a field has the
            wrong type; names the field.
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
        stats_channels=tuple(
            channel.as_type(str) for channel in node.items("slack.channels.stats")
        ),
        markets=_unique_markets(parse_market(market) for market in node.items("markets")),
    )


def parse_market(document: object) -> Market:
    """Parse the JSON document of a market.

    Raises:
        BadInput: the document is not an object, has no id, or a field has the wrong type.
    """
    node = document if isinstance(document, _Node) else _Node(document)
    ticketers = {name: ticket_type for ticket_type, name in _TICKETERS.items()}
    ticketer = node.value("ticketer", str) or "TM"
    if ticketer not in ticketers:
        raise BadInput(f"expected one of {', '.join(ticketers)}", field=node.place("ticketer"))
    return Market(
        market_id=validate_key_id(node.value("id", str), node.place("id")),
        name=node.value("name", str) or "",
        city=node.value("city", str) or "",
        timezone=node.value("timezone", str),
        ticket_type=ticketers[ticketer],
    )


def campaign_to_json(campaign: Campaign) -> dict[str, Any]:
    """Return the JSON document that `parse_campaign` parses to this campaign."""
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
        "markets": [market_to_json(market) for market in campaign.markets],
    }
    return {name: value for name, value in document.items() if value is not None}


def market_to_json(market: Market) -> dict[str, Any]:
    """Return the JSON document that `parse_market` parses to this market."""
    document = {
        "id": market.market_id,
        "name": market.name,
        "city": market.city,
        "timezone": market.timezone,
        "ticketer": _TICKETERS[market.ticket_type],
    }
    return {name: value for name, value in document.items() if value is not None}


def _unique_markets(markets: Iterable[Market]) -> tuple[Market, ...]:
    by_id: dict[str, Market] = {}
    for position, market in enumerate(markets):
        if market.market_id in by_id:
            raise BadInput("duplicate market id", field=f"markets[{position}].id")
        by_id[market.market_id] = market
    return tuple(by_id.values())


_TYPE_NAMES: Final[Mapping[type, str]] = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    list: "a list",
}

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


@attrs.frozen
class _Node:
    """A value of a JSON document with its path, for error messages."""

    content: object
    path: str = ""

    def place(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def child(self, name: str) -> "_Node":
        if self.content is None and self.path:
            return _Node(None, self.place(name))
        if not isinstance(self.content, Mapping):
            raise BadInput("expected an object", field=self.path or None)
        return _Node(self.content.get(name), self.place(name))

    def as_type(self, kind: type[_T]) -> _T:
        content = self.content
        if kind is float and type(content) is int:
            content = float(content)
        if type(content) is not kind:
            raise BadInput(f"expected {_TYPE_NAMES[kind]}", field=self.path)
        return content

    def value(self, path: str, kind: type[_T]) -> _T | None:
        node = reduce(_Node.child, path.split("."), self)
        return None if node.content is None else node.as_type(kind)

    def items(self, path: str) -> "Iterator[_Node]":
        for position, item in enumerate(self.value(path, list) or ()):
            yield _Node(item, f"{self.place(path)}[{position}]")

    def choice(self, path: str, kind: type[_E], default: _E) -> _E:
        text = self.value(path, str)
        if text is None:
            return default
        if text not in set(kind):
            raise BadInput(f"expected one of {', '.join(kind)}", field=self.place(path))
        return kind(text)


@attrs.frozen
class PerCampaignRun:
    """Counts what becomes of each campaign, and keeps errors until all campaigns had their turn."""

    worker: str
    _tally: Tally = attrs.field(init=False)
    _errors: dict[str, Exception] = attrs.field(factory=dict, init=False)

    @_tally.default
    def _empty_tally(self) -> Tally:
        return Tally(self.worker)

    def run(self, campaign: Campaign, step: Callable[[Campaign], str | None]) -> None:
        """Run `step` for a campaign; it returns the count to add to, or None for none."""
        try:
            outcome = step(campaign)
        except Exception as error:  # noqa: BLE001 - an unexpected error is of one campaign, too
            self._errors[campaign.campaign_id] = error
            outcome = "rejected"
        if outcome is not None:
            self._tally.add("in")
            self._tally.add(outcome)

    def report(self) -> Report:
        """Return the report if no campaign failed; its counts are campaigns.

        Raises:
            RetryLater: some of the campaigns that failed may succeed next time.
            Fatal: no campaign that failed can succeed.
            Exception: an unexpected error, as it was raised, so that its traceback is kept.
        """
        report = self._tally.report()
        if self._errors:
            raise attach_report(self._error(), report)
        return report

    def _error(self) -> Exception:
        for error in self._errors.values():
            if not isinstance(error, CampaignError):
                return error
        reasons = "; ".join(f"{campaign}: {error}" for campaign, error in self._errors.items())
        message = f"{len(self._errors)} of {self._tally.counts['in']} campaigns failed: {reasons}"
        may_succeed = any(isinstance(error, RetryLater) for error in self._errors.values())
        return RetryLater(message) if may_succeed else Fatal(message)
