"""Statistics of a campaign, and the Slack message that posts them.

The statistics are a fold over the entries, which a store may compute itself.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from campaign_workers.domain.campaigns import Campaign, Market
from campaign_workers.domain.stats.slack import SlackMessage, escape, fields, header, section


@attrs.frozen(kw_only=True)
class Entry:
    """A fan's registration in one campaign, as the entry store keeps it.

    `market_ids` are the preferred markets, first choice first; `codes` maps a market id (`_` for a
    code without a market) to the assigned code; `created` is the time of registration.
    """

    campaign_id: str
    user_id: str
    global_user_id: str | None = None
    member_id: str | None = None
    email: str = attrs.field(default="", repr=False)
    phone: str | None = attrs.field(default=None, repr=False)
    first_name: str = attrs.field(default="", repr=False)
    last_name: str = attrs.field(default="", repr=False)
    locale: str | None = None
    market_ids: tuple[str, ...] = ()
    opt_in_email: bool = False
    opt_in_sms: bool = False
    phone_confirmed: bool = False
    referrer_code: str | None = attrs.field(default=None, repr=False)
    blocked: bool = False
    codes: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    created: datetime


MAX_PREFERENCES: Final = 4
UNKNOWN_LOCALE: Final = "unknown"


@attrs.frozen(kw_only=True)
class AdminStats:
    """The figures of one campaign.

    `by_day` counts entries by UTC day of registration (`YYYY-MM-DD`); `by_market` has a market's
    count at each preference rank, first choice first.
    """

    total: int = 0
    confirmed_phones: int = 0
    opted_in_email: int = 0
    opted_in_sms: int = 0
    blocked: int = 0
    referred: int = 0
    with_code: int = 0
    by_day: Mapping[str, int] = attrs.field(factory=dict)
    by_locale: Mapping[str, int] = attrs.field(factory=dict)
    by_market: Mapping[str, tuple[int, ...]] = attrs.field(factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON-ready document with sorted keys."""
        return {
            "total": self.total,
            "confirmedPhones": self.confirmed_phones,
            "optedInEmail": self.opted_in_email,
            "optedInSms": self.opted_in_sms,
            "blocked": self.blocked,
            "referred": self.referred,
            "withCode": self.with_code,
            "byDay": dict(sorted(self.by_day.items())),
            "byLocale": dict(sorted(self.by_locale.items())),
            "byMarket": {market: list(ranks) for market, ranks in sorted(self.by_market.items())},
        }

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "AdminStats":
        """Parse a document of `to_json`; missing figures are zero."""
        return cls(
            total=document.get("total", 0),
            confirmed_phones=document.get("confirmedPhones", 0),
            opted_in_email=document.get("optedInEmail", 0),
            opted_in_sms=document.get("optedInSms", 0),
            blocked=document.get("blocked", 0),
            referred=document.get("referred", 0),
            with_code=document.get("withCode", 0),
            by_day=dict(document.get("byDay", {})),
            by_locale=dict(document.get("byLocale", {})),
            by_market={m: tuple(ranks) for m, ranks in document.get("byMarket", {}).items()},
        )


COUNT_RULES: Final[Mapping[str, Callable[[Entry], bool]]] = {
    "confirmed_phones": lambda entry: entry.phone_confirmed,
    "opted_in_email": lambda entry: entry.opt_in_email,
    "opted_in_sms": lambda entry: entry.opt_in_sms,
    "blocked": lambda entry: entry.blocked,
    "referred": lambda entry: bool(entry.referrer_code),
    "with_code": lambda entry: bool(entry.codes),
}
"""Figure -> whether an entry counts towards it."""


def admin_stats(entries: Iterable[Entry]) -> AdminStats:
    """Return the statistics of a campaign's entries, in one pass.

    Example:
        >>> from datetime import UTC, datetime
        >>> day = datetime(2026, 9, 1, 12, tzinfo=UTC)
        >>> stats = admin_stats(
        ...     [
        ...         Entry(campaign_id="tour", user_id="u1", market_ids=("nyc", "lax"), created=day),
        ...         Entry(campaign_id="tour", user_id="u2", market_ids=("lax",), created=day),
        ...     ]
        ... )
        >>> (stats.total, dict(stats.by_day))
        (2, {'2026-09-01': 2})
        >>> dict(stats.by_market)["lax"]
        (1, 1, 0, 0)
    """
    figures: Counter[str] = Counter()
    by_day: Counter[str] = Counter()
    by_locale: Counter[str] = Counter()
    by_market: dict[str, list[int]] = {}
    for entry in entries:
        figures["total"] += 1
        figures.update(name for name, counts in COUNT_RULES.items() if counts(entry))
        by_day[f"{entry.created.astimezone(UTC):%Y-%m-%d}"] += 1
        by_locale[entry.locale or UNKNOWN_LOCALE] += 1
        for rank, market in enumerate(entry.market_ids[:MAX_PREFERENCES]):
            by_market.setdefault(market, [0] * MAX_PREFERENCES)[rank] += 1
    return AdminStats(
        **figures,
        by_day=dict(sorted(by_day.items())),
        by_locale=dict(sorted(by_locale.items())),
        by_market={market: tuple(ranks) for market, ranks in sorted(by_market.items())},
    )


TOP_MARKETS: Final = 5

FIGURES: Final[Mapping[str, str]] = {
    "total": "Registrations",
    "confirmed_phones": "Confirmed phones",
    "opted_in_email": "E-mail opt-ins",
    "opted_in_sms": "SMS opt-ins",
    "referred": "Referred",
    "blocked": "Blocked",
    "with_code": "With a code",
}


def has_changed(stats: AdminStats, last_posted: Mapping[str, Any] | None) -> bool:
    """Whether the statistics differ from those posted last."""
    return last_posted is None or AdminStats.parse(last_posted) != stats


def stats_message(
    campaign: Campaign,
    markets: Iterable[Market],
    stats: AdminStats,
    last_posted: Mapping[str, Any] | None,
) -> SlackMessage:
    """Build the message: totals, their change since the last post, and the top markets."""
    before = None if last_posted is None else AdminStats.parse(last_posted)
    title = f"{campaign.artist}: {campaign.name}" if campaign.name else str(campaign.artist)
    total = _figure("total", stats, before)
    blocks = [
        header(title),
        fields(f"*{label}*\n{_figure(name, stats, before)}" for name, label in FIGURES.items()),
    ]
    if stats.by_market:
        blocks.append(section(["*Top markets*", *_top_markets(markets, stats)]))
    return SlackMessage(text=f"{escape(title)}: {total} registrations", blocks=tuple(blocks))


def _figure(name: str, stats: AdminStats, before: AdminStats | None) -> str:
    now: int = getattr(stats, name)
    if before is None:
        return f"{now:,}"
    change = now - getattr(before, name)
    return f"{now:,} ({change:+,})" if change else f"{now:,} (no change)"


def _top_markets(markets: Iterable[Market], stats: AdminStats) -> list[str]:
    names = {market.market_id: market.name or market.city for market in markets}
    ranked = sorted(
        stats.by_market.items(),
        key=lambda item: (-_first(item[1]), -sum(item[1]), item[0]),
    )
    return [
        f"{place}. {escape(names.get(market) or market)}: "
        f"{_first(wishes):,} first choices, {sum(wishes):,} in all"
        for place, (market, wishes) in enumerate(ranked[:TOP_MARKETS], 1)
    ]


def _first(wishes: tuple[int, ...]) -> int:
    return wishes[0] if wishes else 0
