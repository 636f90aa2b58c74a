"""Scored files as they are uploaded, and scrubbed files as we write them.

`scoring` records of whole frames of scrubbed fans.

The rules of every campaign in a file of scored fans, and how each one's scrub goes.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import attrs
import polars as pl

from campaign_workers.domain.campaigns import Campaign
from campaign_workers.domain.csv.frames import split_lists, strip
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.records.columns import record_lines
from campaign_workers.domain.records.types import RECORD_TYPES, Field, Kind
from campaign_workers.domain.running.events import MAX_PARTITION_KEY, MAX_RECORD_BYTES
from campaign_workers.domain.scrub.duplicates import ROW
from campaign_workers.domain.scrub.policy import ScrubPolicy
from campaign_workers.domain.scrub.scrubbing import OURS, OUTCOME, examined
from campaign_workers.domain.scrub.statistics import ScrubStatistics
from campaign_workers.domain.storage.layout import is_key_id
from campaign_workers.domain.wire import from_wire, swap_spelling, to_camel, to_snake, to_wire

DELIMITER: Final = "\t"
REQUIRED: Final = ("globalUserId", "email", "phone", "score")

ADDED: Final = tuple(map(to_camel, OUTCOME))
"""Columns that a scrubbed file has beyond those of the scored one."""


def campaign_in_name(name: str) -> str:
    """The campaign of `{campaignId}.{timestamp}`; empty if the name does not tell one."""
    return name.rpartition(".")[0]


def scrubbed_columns(columns: Sequence[str], *, file: str) -> tuple[str, ...]:
    """The columns of the scrubbed file: those of the scored one, then the outcome.

    Raises:
        BadInput: a column has a name that we keep for ourselves.
    """
    if taken := OURS.intersection(map(swap_spelling, columns)):
        raise BadInput("a reserved name", file=file, line=1, field=", ".join(sorted(taken)))
    return (*(column for column in columns if column not in ADDED), *ADDED)


def fans_of(rows: pl.DataFrame, campaign: str) -> pl.DataFrame:
    """Rows of a scored file as fans: our column names, lists of markets, every row's campaign.

    Where a row names no campaign it is that of the file, empty if there is none either.
    """
    fans = from_wire(rows)
    own = strip(pl.col("campaign_id")) if "campaign_id" in fans.columns else pl.lit("")
    fans = fans.with_columns(campaign_id=pl.when(own == "").then(pl.lit(campaign)).otherwise(own))
    if "market_ids" not in fans.columns:
        return fans
    return fans.with_columns(split_lists(pl.col("market_ids")))


def scrubbed_rows(fans: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Scrubbed fans as rows of a file with these columns of the wire."""
    return to_wire(fans).select(columns)


SCORING: Final = RECORD_TYPES["scoring"]


def scoring_records(fans: pl.DataFrame, *, source: str, created: datetime) -> pl.DataFrame:
    """A record a fan with an id: `campaign_id`, `partition_key` (the id) and `data` (Binary).

    Fans without an id have none, nor those whose id or record is longer than a stream takes.

    Args:
        fans: scrubbed fans; a field of the type is taken from the column of its name, if any.
        source: `scored` or `fanlist`.
        created: when the records were made.
    """
    key = pl.col("global_user_id")
    known = fans.filter(key.str.len_chars().is_between(1, MAX_PARTITION_KEY))
    values = {field.name: _value(field, fans.schema) for field in SCORING.fields}
    values["source"] = pl.lit(source)
    table = known.select(**{name: value for name, value in values.items() if value is not None})
    line = record_lines(table, SCORING.name, created)["line"].cast(pl.Binary)
    records = known.select("campaign_id", partition_key=key, data=line)
    size = pl.col("data").bin.size() + pl.col("partition_key").str.len_bytes()
    return records.filter(size <= MAX_RECORD_BYTES)


def _value(field: Field, schema: pl.Schema) -> pl.Expr | None:
    """The column as records hold it, None where there is none of the kind.

    Texts are trimmed and not empty, lists not null; a number is never read out of a text.
    """
    value = pl.col(to_snake(field.name))
    match field.kind, schema.get(to_snake(field.name)):
        case Kind.TEXTS, pl.List():
            return value.fill_null([])
        case Kind.TEXTS, _:
            return pl.lit([], dtype=pl.List(pl.String))
        case Kind.TEXT, pl.String():
            text = strip(value)
            return pl.when(text != "").then(text)
        case Kind.INT, dtype if dtype is not None and dtype.is_integer():
            return value.cast(pl.Int64)
        case Kind.DOUBLE, pl.Float64():
            return value
        case _:
            return None


@attrs.frozen(kw_only=True)
class Rules:
    """A campaign with its lists and options, and how its scrub goes."""

    campaign: Campaign
    policy: ScrubPolicy
    statistics: ScrubStatistics = attrs.field(factory=ScrubStatistics)


@attrs.define
class Rulebook:
    """The rules of every campaign in a file, which are looked up when it first occurs."""

    file: str
    own_campaign: str
    look_up: Callable[[str], Rules | None]
    campaigns: dict[str, Rules] = attrs.field(factory=dict, init=False)
    rows: int = attrs.field(default=0, init=False)

    def fans(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows as numbered fans whose campaigns are known.

        Raises:
            BadInput: a row names no campaign, or one that there is not.
        """
        fans = fans_of(rows, self.own_campaign).with_row_index(ROW, offset=self.rows)
        first_rows = fans.unique("campaign_id", keep="first", maintain_order=True)
        for row, campaign_id in first_rows.select(ROW, "campaign_id").iter_rows():
            if campaign_id not in self.campaigns:
                self.campaigns[campaign_id] = self._found(campaign_id, row + 1)
        self.rows += fans.height
        return fans

    def examined(self, fans: pl.DataFrame) -> pl.DataFrame:
        """Each campaign's fans by its own rules, in the order of the file."""
        parts = [
            examined(some, self.campaigns[campaign_id].policy)
            for (campaign_id,), some in fans.partition_by("campaign_id", as_dict=True).items()
        ]
        return parts[0] if len(parts) == 1 else pl.concat(parts).sort(ROW)

    def count(self, fans: pl.DataFrame) -> pl.DataFrame:
        """Add scrubbed fans to the statistics of their campaigns."""
        for (campaign_id,), some in fans.partition_by("campaign_id", as_dict=True).items():
            rules = self.campaigns[campaign_id]
            rules.statistics.add(some, [market.market_id for market in rules.campaign.markets])
        return fans

    def count_records(self, records: pl.DataFrame) -> pl.DataFrame:
        """Add records that are put to the statistics of their campaigns."""
        for campaign_id, count in records["campaign_id"].value_counts().iter_rows():
            self.campaigns[campaign_id].statistics.records += count
        return records

    def _found(self, campaign_id: str, row: int) -> Rules:
        if campaign_id == "":
            raise BadInput(
                f"row {row} names no campaign, nor does the name of the file",
                file=self.file,
                field="campaignId",
                remedy="name the file {campaignId}.{timestamp}.txt",
            )
        rules = self.look_up(campaign_id) if is_key_id(campaign_id) else None
        if rules is None:
            problem = f"row {row} names a campaign that there is not"
            raise BadInput(problem, file=self.file, field="campaignId")
        return rules
