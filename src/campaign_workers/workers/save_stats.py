"""saveStats: the figures of every open campaign are counted and stored."""

from typing import Final

import attrs

from campaign_workers.domain.campaigns.campaign import Campaign
from campaign_workers.domain.campaigns.per_campaign_run import CampaignRound
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.running.reports import Report
from campaign_workers.ports.repositories import (
    AdminStatsRepository,
    CampaignRepository,
    EntryRepository,
)
from campaign_workers.ports.system import Clock, Metrics

WORKER: Final = "saveStats"


@attrs.frozen(kw_only=True)
class SaveStats:
    """Store the statistics of the open campaigns; a failing one does not stop the others."""

    campaigns: CampaignRepository
    entries: EntryRepository
    stats: AdminStatsRepository
    clock: Clock
    metrics: Metrics

    parse = staticmethod(Tick.parse)

    def __call__(self, event: Tick) -> Report:
        """Save what can be saved; in = out + rejected + duplicates, in campaigns.

        Raises:
            RetryLater: a database fails, or campaigns failed that may succeed another time.
            Fatal: campaigns failed and will fail again; the others are saved.
        """
        done = CampaignRound()
        for campaign in tuple(self.campaigns.open_campaigns()):
            done.attempt(campaign, self._save)
        for name, value in done.counts.items():
            self.metrics.count(name, value, worker=WORKER)
        done.raise_failures()
        return Report(worker=WORKER, counts=done.counts)

    def _save(self, campaign: Campaign) -> str:
        figures = self.entries.admin_stats(campaign.campaign_id)
        self.stats.save(campaign.campaign_id, figures, now=self.clock.now())
        return "out"
