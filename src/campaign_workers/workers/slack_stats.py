"""slackStats: channels hear how their campaigns go, whenever there is something new."""

from typing import Final

import attrs

from campaign_workers.domain.campaigns.campaign import Campaign
from campaign_workers.domain.campaigns.per_campaign_run import CampaignRound
from campaign_workers.domain.errors import Fatal, PermanentFailure
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.stats.message import has_changed, stats_message
from campaign_workers.domain.stats.slack_blocks import Message
from campaign_workers.ports.chat import Chat
from campaign_workers.ports.repositories import (
    AdminStatsRepository,
    CampaignRepository,
    MarketRepository,
)
from campaign_workers.ports.system import Metrics

WORKER: Final = "slackStats"


@attrs.frozen(kw_only=True)
class SlackStats:
    """Post the statistics of open campaigns; a failing one does not stop the others."""

    campaigns: CampaignRepository
    markets: MarketRepository
    stats: AdminStatsRepository
    chat: Chat
    metrics: Metrics

    parse = staticmethod(Tick.parse)

    def __call__(self, event: Tick) -> Report:
        """Post what has changed; in = out + rejected + duplicates (unchanged), in campaigns.

        Campaigns without an artist, a channel or statistics do not count.

        Raises:
            RetryLater: a database fails, or campaigns failed that may succeed another time.
            Fatal: campaigns failed and will fail again; the others are posted.
        """
        done = CampaignRound()
        for campaign in tuple(self.campaigns.open_campaigns()):
            if campaign.artist and campaign.stats_channels:
                done.attempt(campaign, self._tell)
        for name, value in done.counts.items():
            self.metrics.count(name, value, worker=WORKER)
        done.raise_failures()
        return Report(worker=WORKER, counts=done.counts)

    def _tell(self, campaign: Campaign) -> str:
        document = self.stats.read(campaign.campaign_id)
        if document is None:
            return "uncounted"
        if not has_changed(document.stats, document.last_posted):
            return "duplicates"
        markets = self.markets.markets(campaign.campaign_id)
        message = stats_message(campaign, markets, document.stats, document.last_posted)
        refused = self._post(campaign, message)
        self.stats.mark_posted(campaign.campaign_id, document.stats.wire())
        if refused:
            raise Fatal(f"{refused} of its channels refused the message")
        return "out"

    def _post(self, campaign: Campaign, message: Message) -> int:
        """Post to each channel; how many of them refuse for good.

        A refusal is final, so it must not make the other channels hear the same again and again.
        """
        channels = dict.fromkeys(campaign.stats_channels)
        refused = 0
        for channel in channels:
            try:
                self.chat.post(channel, message.text, message.blocks)
            except PermanentFailure:
                refused += 1
        if refused == len(channels):
            raise Fatal("every one of its channels refused the message")
        return refused
