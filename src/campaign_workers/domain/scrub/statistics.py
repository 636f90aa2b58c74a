"""How the scrub of a campaign went: what came in, what went out, and why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

import attrs
import polars as pl

from campaign_workers.domain.bands import NAMES
from campaign_workers.domain.campaigns import Campaign
from campaign_workers.domain.scrub.rules import TAGS
from campaign_workers.domain.stats.slack import SlackMessage, escape, fields, header, section

UNSCORED: Final = "no score"
OTHER_MARKETS: Final = "other markets"
"""What the rows count under whose market is none of the campaign's."""


@attrs.define
class ScrubStatistics:
    """Counts of one campaign's rows.

    `rows` came in, `eligible` of them have verdict 1, `records` were put on the stream. Counters
    hold the rows with each tag and band; `wanted` and `wanted_by_eligible` the rows by market.
    """

    rows: int = 0
    eligible: int = 0
    records: int = 0
    tags: Counter[str] = attrs.field(factory=Counter)
    bands: Counter[str] = attrs.field(factory=Counter)
    wanted: Counter[str] = attrs.field(factory=Counter)
    wanted_by_eligible: Counter[str] = attrs.field(factory=Counter)

    def add(self, fans: pl.DataFrame, markets: Iterable[str]) -> Self:
        """Count more scrubbed fans of the campaign, which has these `markets`."""
        self.rows += fans.height
        self.eligible += int(fans["verdict"].sum())
        self.bands += _counts(fans["band"].fill_null(UNSCORED))
        self.tags += _counts(fans["tags"].explode().drop_nulls())
        if "market_ids" in fans.columns:
            known = list(markets)
            self.wanted += _market_counts(fans, known)
            eligible = fans.filter(pl.col("verdict") == 1)
            self.wanted_by_eligible += _market_counts(eligible, known)
        return self

    def wire(self) -> dict[str, Any]:
        """The counts as JSON: tags and bands in the order of their tables, zeros left out."""
        return {
            "in": self.rows,
            "out": self.records,
            "rejected": self.rows - self.records,
            "eligible": self.eligible,
            "tags": {tag: self.tags[tag] for tag in TAGS if self.tags[tag]},
            "bands": {band: self.bands[band] for band in (*NAMES, UNSCORED) if self.bands[band]},
            "markets": {
                market: {"in": count, "eligible": self.wanted_by_eligible[market]}
                for market, count in sorted(self.wanted.items())
            },
        }


def statistics_message(campaign: Campaign, statistics: ScrubStatistics, file: str) -> SlackMessage:
    """What the campaign's channel is told."""
    counts = statistics.wire()
    name = campaign.name or campaign.campaign_id
    figures = {
        "Rows": counts["in"],
        "Records": counts["out"],
        "Rejected": counts["rejected"],
        "Eligible": counts["eligible"],
    }
    blocks = [
        header(f"{name}: scored fans scrubbed"),
        section([escape(file)]),
        fields(f"*{label}*\n{figure:,}" for label, figure in figures.items()),
    ]
    names = {market.market_id: market.name or market.city for market in campaign.markets}
    for title, lines in (
        ("Tags", _lines(counts["tags"])),
        ("Bands", _lines(counts["bands"])),
        ("Markets", _market_lines(counts["markets"], names)),
    ):
        if lines:
            blocks.append(section([f"*{title}*", *lines]))
    text = f"{escape(name)}: {statistics.eligible:,} of {statistics.rows:,} scored fans eligible"
    return SlackMessage(text=text, blocks=tuple(blocks))


def _counts(values: pl.Series) -> Counter[str]:
    counted = values.value_counts()
    return Counter(dict(counted.rows()))


def _market_counts(fans: pl.DataFrame, known: list[str]) -> Counter[str]:
    markets = fans["market_ids"].explode().drop_nulls()
    found = _counts(markets.filter(markets.is_in(known)))
    others = Counter({OTHER_MARKETS: len(markets) - found.total()})
    return found + others


def _lines(counts: Mapping[str, int]) -> list[str]:
    return [f"{name}: {count:,}" for name, count in counts.items()]


def _market_lines(markets: Mapping[str, Mapping[str, int]], names: Mapping[str, str]) -> list[str]:
    ranked = sorted(markets.items(), key=lambda market: (-market[1]["in"], market[0]))
    return [
        f"{escape(names.get(market) or market)}: "
        f"{counts['eligible']:,} eligible of {counts['in']:,}"
        for market, counts in ranked
    ]
