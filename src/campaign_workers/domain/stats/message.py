"""What a channel is told of a campaign's statistics."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from campaign_workers.domain.campaigns.campaign import Campaign, Market
from campaign_workers.domain.stats.admin import AdminStats
from campaign_workers.domain.stats.slack_blocks import Message, escaped, fields, header, section

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
    """Whether there is something to tell since the last post."""
    return last_posted is None or AdminStats.read(last_posted) != stats


def stats_message(
    campaign: Campaign,
    markets: Iterable[Market],
    stats: AdminStats,
    last_posted: Mapping[str, Any] | None,
) -> Message:
    """Totals, their change since the last post, and the most wanted markets."""
    before = None if last_posted is None else AdminStats.read(last_posted)
    title = f"{campaign.artist}: {campaign.name}" if campaign.name else str(campaign.artist)
    total = _figure("total", stats, before)
    blocks = [
        header(title),
        fields(f"*{label}*\n{_figure(name, stats, before)}" for name, label in FIGURES.items()),
    ]
    if stats.by_market:
        blocks.append(section(["*Top markets*", *_top_markets(markets, stats)]))
    return Message(text=f"{escaped(title)}: {total} registrations", blocks=tuple(blocks))


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
        f"{place}. {escaped(names.get(market) or market)}: "
        f"{_first(wishes):,} first choices, {sum(wishes):,} in all"
        for place, (market, wishes) in enumerate(ranked[:TOP_MARKETS], 1)
    ]


def _first(wishes: tuple[int, ...]) -> int:
    return wishes[0] if wishes else 0
