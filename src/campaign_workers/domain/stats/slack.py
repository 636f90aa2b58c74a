"""Slack messages: Block Kit blocks within its limits, and the message about statistics."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from campaign_workers.domain.campaigns import Campaign, Market
from campaign_workers.domain.stats.admin import AdminStats

Block = Mapping[str, Any]

MAX_HEADER: Final = 150
MAX_SECTION: Final = 3000
MAX_FIELD: Final = 2000
MAX_FIELDS: Final = 10
MAX_NAME: Final = 120

_ESCAPED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@attrs.frozen(kw_only=True)
class SlackMessage:
    """A message: its blocks, and the text shown in notifications."""

    text: str
    blocks: tuple[Block, ...]


def escape(name: str, limit: int = MAX_NAME) -> str:
    """Escape a name for mrkdwn: one line, no mention or link, at most `limit` characters."""
    words = " ".join(name.split())
    whole = "".join(_ESCAPED.get(character, character) for character in words)
    if len(whole) <= limit:
        return whole
    pieces = [_ESCAPED.get(character, character) for character in words[:limit]]
    while sum(map(len, pieces)) >= limit:
        pieces.pop()
    return f"{''.join(pieces)}…"


def header(title: str) -> Block:
    """Build a heading; `title` is escaped here."""
    text = {"type": "plain_text", "text": escape(title, MAX_HEADER), "emoji": False}
    return {"type": "header", "text": text}


def section(lines: Iterable[str]) -> Block:
    """Build a paragraph of escaped lines; lines that do not fit are left out."""
    return {"type": "section", "text": _mrkdwn(lines, MAX_SECTION)}


def fields(texts: Iterable[str]) -> Block:
    """Build two columns of at most ten escaped texts."""
    shown = list(texts)[:MAX_FIELDS]
    return {"type": "section", "fields": [_mrkdwn([text], MAX_FIELD) for text in shown]}


def _mrkdwn(lines: Iterable[str], limit: int) -> Block:
    kept: list[str] = []
    for line in lines:
        if len("\n".join([*kept, line])) > limit:
            break
        kept.append(line)
    return {"type": "mrkdwn", "text": "\n".join(kept)}


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
