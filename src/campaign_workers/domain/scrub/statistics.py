"""Statistics of a campaign's scrub, and the message that posts them."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers.domain.bands import NAMES
from campaign_workers.domain.campaigns import Campaign
from campaign_workers.domain.scrub.rules import TAGS
from campaign_workers.domain.stats.slack import SlackMessage, escape, fields, header, section

UNSCORED: Final = "no score"
OTHER_MARKETS: Final = "other markets"
"""Counts the rows of markets that the campaign does not have."""


@attrs.frozen(kw_only=True)
class ScrubStatistics:
    """Counts of one campaign's rows.

    Attributes:
        rows: rows of the scored file.
        eligible: rows with verdict 1.
        records: records put on the stream.
        tags: rows by tag.
        bands: rows by band.
        wanted: rows by market that the fan wants.
        wanted_by_eligible: the same for rows with verdict 1.
    """

    rows: int = 0
    eligible: int = 0
    records: int = 0
    tags: Counter[str] = attrs.field(factory=Counter)
    bands: Counter[str] = attrs.field(factory=Counter)
    wanted: Counter[str] = attrs.field(factory=Counter)
    wanted_by_eligible: Counter[str] = attrs.field(factory=Counter)

    def __add__(self, other: "ScrubStatistics") -> "ScrubStatistics":
        """Return the sums of all counts."""
        names = [field.name for field in attrs.fields(ScrubStatistics)]
        return ScrubStatistics(
            **{name: getattr(self, name) + getattr(other, name) for name in names}
        )

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON, tags and bands in the order of their tables, without zeros."""
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


def count_fans(fans: pl.DataFrame, market_ids: Collection[str]) -> ScrubStatistics:
    """Return the statistics of scrubbed fans of one campaign, which has these markets."""
    has_markets = "market_ids" in fans.columns
    eligible = fans.filter(pl.col("verdict") == 1)
    return ScrubStatistics(
        rows=fans.height,
        eligible=eligible.height,
        bands=_count_values(fans["band"].fill_null(UNSCORED)),
        tags=_count_values(fans["tags"].explode().drop_nulls()),
        wanted=_count_markets(fans, market_ids) if has_markets else Counter(),
        wanted_by_eligible=_count_markets(eligible, market_ids) if has_markets else Counter(),
    )


def statistics_message(campaign: Campaign, statistics: ScrubStatistics, file: str) -> SlackMessage:
    """Return the message for the campaign's channels."""
    counts = statistics.to_json()
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


def _count_values(values: pl.Series) -> Counter[str]:
    counts = values.value_counts()
    return Counter(dict(counts.rows()))


def _count_markets(fans: pl.DataFrame, market_ids: Collection[str]) -> Counter[str]:
    markets = fans["market_ids"].explode().drop_nulls()
    known = _count_values(markets.filter(markets.is_in(list(market_ids))))
    others = Counter({OTHER_MARKETS: len(markets) - known.total()})
    return known + others


def _lines(counts: Mapping[str, int]) -> list[str]:
    return [f"{name}: {count:,}" for name, count in counts.items()]


def _market_lines(markets: Mapping[str, Mapping[str, int]], names: Mapping[str, str]) -> list[str]:
    ranked = sorted(markets.items(), key=lambda market: (-market[1]["in"], market[0]))
    return [
        f"{escape(names.get(market) or market)}: "
        f"{counts['eligible']:,} eligible of {counts['in']:,}"
        for market, counts in ranked
    ]
