"""saveStats: store the statistics of every open campaign."""

from typing import Final

import attrs

from campaign_workers.domain.campaigns import Campaign, PerCampaignRun
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.running.reports import Report
from campaign_workers.ports.repositories import (
    AdminStatsRepository,
    CampaignRepository,
    EntryRepository,
)
from campaign_workers.ports.system import Clock

WORKER: Final = "saveStats"


@attrs.frozen(kw_only=True)
class SaveStats:
    """Stores the statistics of open campaigns; a campaign that fails does not stop the others."""

    campaigns: CampaignRepository
    entries: EntryRepository
    stats: AdminStatsRepository
    clock: Clock

    parse = staticmethod(Tick.parse)

    def __call__(self, event: Tick) -> Report:
        """Save the statistics of each open campaign.

        Counts are campaigns: in = out + rejected + duplicates.

        Raises:
            RetryLater: a database fails, or campaigns failed that may succeed next time.
            Fatal: campaigns failed that cannot succeed; the others are saved.
        """
        run = PerCampaignRun(WORKER)
        for campaign in tuple(self.campaigns.open_campaigns()):
            run.run(campaign, self._save)
        return run.report()

    def _save(self, campaign: Campaign) -> str:
        figures = self.entries.admin_stats(campaign.campaign_id)
        self.stats.save(campaign.campaign_id, figures, now=self.clock.now())
        return "out"
