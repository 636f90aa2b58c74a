"""Scored files as they are uploaded, and what is made of them: scrubbed files, records, statistics.

Files use the column names of the wire, frames use ours; this module renames them in both
directions. A file may hold fans of several campaigns, each scrubbed by its own lists and options.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers.domain.bands import NAMES
from campaign_workers.domain.campaigns import Campaign
from campaign_workers.domain.csv.frames import split_lists, strip
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.records.columns import record_lines
from campaign_workers.domain.records.types import RECORD_TYPES, Field, FieldKind
from campaign_workers.domain.running.events import MAX_PARTITION_KEY, MAX_RECORD_BYTES
from campaign_workers.domain.scrub.policy import ScrubPolicy
from campaign_workers.domain.scrub.rules import TAGS
from campaign_workers.domain.scrub.scrubbing import (
    INTERNAL_COLUMNS,
    OUTPUT_COLUMNS,
    add_outcome,
    tag_rows,
)
from campaign_workers.domain.stats.slack import SlackMessage, escape, fields, header, section
from campaign_workers.domain.storage.layout import CampaignId, is_key_id
from campaign_workers.domain.wire import from_wire, swap_spelling, to_camel, to_snake, to_wire

DELIMITER: Final = "\t"
REQUIRED: Final = ("globalUserId", "email", "phone", "score")

ADDED_COLUMNS: Final = tuple(map(to_camel, OUTPUT_COLUMNS))
"""Columns that a scrubbed file has in addition to those of the scored one."""


@attrs.frozen(kw_only=True)
class CampaignScrub:
    """A campaign, and the lists and options by which its fans are scrubbed."""

    campaign: Campaign
    policy: ScrubPolicy


CampaignScrubs = Mapping[CampaignId, CampaignScrub]
"""The campaigns of one file."""


def campaign_in_name(name: str) -> str:
    """Return the campaign id of a file named `{campaignId}.{timestamp}`, else an empty string."""
    return name.rpartition(".")[0]


def scrubbed_columns(columns: Sequence[str], *, file: str) -> tuple[str, ...]:
    """Return the columns of the scrubbed file: those of the scored one, then the outcome.

    Raises:
        BadInput: a column has a reserved name.
    """
    if reserved := INTERNAL_COLUMNS.intersection(map(swap_spelling, columns)):
        raise BadInput(
            "this column name is reserved",
            file=file,
            line=1,
            field=", ".join(sorted(reserved)),
            remedy="rename it",
        )
    return (*(column for column in columns if column not in ADDED_COLUMNS), *ADDED_COLUMNS)


def parse_fans(rows: pl.DataFrame, campaign_id: str) -> pl.DataFrame:
    """Return rows of a scored file as fans, with our column names and lists of markets.

    Args:
        rows: rows as they were read, with the column names of the wire.
        campaign_id: the campaign of rows that name none; may be empty.
    """
    fans = from_wire(rows)
    own = strip(pl.col("campaign_id")) if "campaign_id" in fans.columns else pl.lit("")
    default = pl.lit(campaign_id)
    fans = fans.with_columns(campaign_id=pl.when(own == "").then(default).otherwise(own))
    if "market_ids" not in fans.columns:
        return fans
    return fans.with_columns(split_lists(pl.col("market_ids")))


def file_rows(fans: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return scrubbed fans as rows of a file with these columns of the wire."""
    return to_wire(fans).select(columns)


def first_rows(fans: pl.DataFrame, *, offset: int) -> dict[str, int]:
    """Return the campaign ids that occur, each with the number of its first row.

    Args:
        fans: some rows of a file.
        offset: how many rows of the file come before them.
    """
    rows = fans.select("campaign_id").with_row_index("row", offset=offset + 1)
    rows = rows.unique("campaign_id", keep="first", maintain_order=True)
    return dict(rows.select("campaign_id", "row").iter_rows())


def check_campaign_id(campaign_id: str, *, file: str, row: int) -> CampaignId:
    """Return the id itself if it can be the id of a campaign.

    Raises:
        BadInput: it is empty or of another form; the message names its row.
    """
    if campaign_id == "":
        raise BadInput(
            "expected a campaign id here or in the name of the file",
            file=file,
            row=row,
            field="campaignId",
            remedy="name the file {campaignId}.{timestamp}.txt",
        )
    if not is_key_id(campaign_id):
        raise unknown_campaign(file=file, row=row)
    return CampaignId(campaign_id)


def unknown_campaign(*, file: str, row: int) -> BadInput:
    """Return the error for a row whose campaign does not exist."""
    return BadInput(
        "unknown campaign",
        file=file,
        row=row,
        field="campaignId",
        remedy="correct the row, or create the campaign first",
    )


_ROW: Final = "__row"
_TAG_BITS: Final = "__tag_bits"


def tag_fans(fans: pl.DataFrame, scrubs: CampaignScrubs) -> pl.Series:
    """Return the tag bits of normalised fans, each by the policy of its campaign."""
    parts = [
        some.select(_ROW, tag_rows(some, scrub.policy).alias(_TAG_BITS))
        for scrub, some in _split_by_campaign(fans.with_row_index(_ROW), scrubs)
    ]
    return pl.concat(parts).sort(_ROW)[_TAG_BITS]


def scrub_fans(fans: pl.DataFrame, tag_bits: pl.Series, scrubs: CampaignScrubs) -> pl.DataFrame:
    """Return normalised fans with their outcome, given their final tag bits."""
    seeds = {campaign_id: scrub.policy.lottery_seed for campaign_id, scrub in scrubs.items()}
    if len(seeds) == 1:
        return add_outcome(fans, tag_bits, seed=next(iter(seeds.values())))
    seed = pl.col("campaign_id").replace_strict(seeds, return_dtype=pl.String)
    return add_outcome(fans, tag_bits, seed=seed)


def _split_by_campaign(
    fans: pl.DataFrame, scrubs: CampaignScrubs
) -> list[tuple[CampaignScrub, pl.DataFrame]]:
    if len(scrubs) == 1:
        return [(next(iter(scrubs.values())), fans)]
    parts = fans.partition_by("campaign_id", as_dict=True)
    return [(scrubs[campaign_id], some) for (campaign_id,), some in parts.items()]


SCORING: Final = RECORD_TYPES["scoring"]

RECORD_COLUMNS: Final = tuple(to_snake(field.name) for field in SCORING.fields)
"""The columns of scrubbed fans that records contain, if they are there."""


def scoring_records(fans: pl.DataFrame, *, source: str, created: datetime) -> pl.DataFrame:
    """Return a record for each fan who has an id.

    Fans whose id or record is longer than a stream accepts have none either.

    Args:
        fans: scrubbed fans; a field is taken from the column of its name, if there is one.
        source: `scored` or `fanlist`.
        created: the time at which the records are made.

    Returns:
        Columns `campaign_id`, `partition_key` (the fan's id) and `data` (Binary).
    """
    key = pl.col("global_user_id")
    known = fans.filter(key.str.len_chars().is_between(1, MAX_PARTITION_KEY))
    values = {to_snake(field.name): _field_value(field, fans.schema) for field in SCORING.fields}
    values["source"] = pl.lit(source)
    table = known.select(**{name: value for name, value in values.items() if value is not None})
    line = record_lines(table, SCORING.name, created)["line"].cast(pl.Binary)
    records = known.select("campaign_id", partition_key=key, data=line)
    size = pl.col("data").bin.size() + pl.col("partition_key").str.len_bytes()
    return records.filter(size <= MAX_RECORD_BYTES)


def _field_value(field: Field, schema: pl.Schema) -> pl.Expr | None:
    """Return the column as records hold it, or None if there is no column of the field's kind.

    Texts are stripped and never empty, lists are never null, and numbers are not parsed out of
    texts.
    """
    value = pl.col(to_snake(field.name))
    match field.kind, schema.get(to_snake(field.name)):
        case FieldKind.TEXTS, pl.List():
            return value.fill_null([])
        case FieldKind.TEXTS, _:
            return pl.lit([], dtype=pl.List(pl.String))
        case FieldKind.TEXT, pl.String():
            text = strip(value)
            return pl.when(text != "").then(text)
        case FieldKind.INT, dtype if dtype is not None and dtype.is_integer():
            return value.cast(pl.Int64)
        case FieldKind.DOUBLE, pl.Float64():
            return value
        case _:
            return None


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


CampaignStatistics = Mapping[CampaignId, ScrubStatistics]
"""Statistics of the campaigns of one file."""


def count_by_campaign(fans: pl.DataFrame, scrubs: CampaignScrubs) -> CampaignStatistics:
    """Return the statistics of scrubbed fans by campaign."""
    return {
        CampaignId(scrub.campaign.campaign_id): count_fans(
            some, [market.market_id for market in scrub.campaign.markets]
        )
        for scrub, some in _split_by_campaign(fans, scrubs)
    }


def count_records(records: pl.DataFrame) -> CampaignStatistics:
    """Return how many records there are by campaign, as statistics."""
    counts = records["campaign_id"].value_counts().iter_rows()
    return {campaign_id: ScrubStatistics(records=count) for campaign_id, count in counts}


def add_statistics(parts: Iterable[CampaignStatistics]) -> CampaignStatistics:
    """Return the sums by campaign, in the order in which campaigns first occur."""
    totals: dict[CampaignId, ScrubStatistics] = {}
    for part in parts:
        for campaign_id, statistics in part.items():
            totals[campaign_id] = totals.get(campaign_id, ScrubStatistics()) + statistics
    return totals


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
