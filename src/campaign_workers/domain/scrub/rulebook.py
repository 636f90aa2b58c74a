"""The rules of every campaign in a file of scored fans, and how each one's scrub goes."""

from collections.abc import Callable

import attrs
import polars as pl

from campaign_workers.domain.campaigns import Campaign
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.identifiers import is_key_id
from campaign_workers.domain.scrub import ScrubPolicy, examined
from campaign_workers.domain.scrub.contests import ROW
from campaign_workers.domain.scrub.scored_files import fans_of
from campaign_workers.domain.scrub.statistics import ScrubStatistics


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
