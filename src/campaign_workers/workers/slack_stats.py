"""slackStats: post the statistics of campaigns to their channels when they have changed."""

from typing import Final

import attrs

from campaign_workers.domain.campaigns import Campaign, PerCampaignRun
from campaign_workers.domain.errors import Fatal, PermanentFailure
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.stats.admin import has_changed, stats_message
from campaign_workers.domain.stats.slack import SlackMessage
from campaign_workers.ports.chat import Chat
from campaign_workers.ports.repositories import (
    AdminStatsRepository,
    CampaignRepository,
    MarketRepository,
)

WORKER: Final = "slackStats"


@attrs.frozen(kw_only=True)
class SlackStats:
    """Posts the statistics of open campaigns; a campaign that fails does not stop the others."""

    campaigns: CampaignRepository
    markets: MarketRepository
    stats: AdminStatsRepository
    chat: Chat

    parse = staticmethod(Tick.parse)

    def __call__(self, event: Tick) -> Report:
        """Post what has changed since the last post.

        Counts are campaigns: in = out + rejected + duplicates, where duplicates are unchanged.
        Campaigns without an artist, a channel or statistics do not count.

        Raises:
            RetryLater: a database fails, or campaigns failed that may succeed next time.
            Fatal: campaigns failed that cannot succeed; the others are posted.
        """
        run = PerCampaignRun(WORKER)
        for campaign in tuple(self.campaigns.open_campaigns()):
            if campaign.artist and campaign.stats_channels:
                run.run(campaign, self._post_changes)
        return run.report()

    def _post_changes(self, campaign: Campaign) -> str | None:
        document = self.stats.read(campaign.campaign_id)
        if document is None:
            return None
        if not has_changed(document.stats, document.last_posted):
            return "duplicates"
        markets = self.markets.markets(campaign.campaign_id)
        message = stats_message(campaign, markets, document.stats, document.last_posted)
        refused = self._post(campaign, message)
        self.stats.mark_posted(campaign.campaign_id, document.stats.to_json())
        if refused:
            raise Fatal(f"{refused} of its channels refused the message")
        return "out"

    def _post(self, campaign: Campaign, message: SlackMessage) -> int:
        """Post to each channel, and return how many refused for good.

        A refusal is permanent: a retry for its sake would repeat the message in other channels.

        Raises:
            Fatal: every channel refused.
            RetryLater: the chat fails.
        """
        channels = dict.fromkeys(campaign.stats_channels)
        refused = 0
        for channel in channels:
            try:
                self.chat.post(channel, message.text, message.blocks)
            except PermanentFailure:
                refused += 1
        if refused == len(channels):
            raise Fatal("all of its channels refused the message")
        return refused
