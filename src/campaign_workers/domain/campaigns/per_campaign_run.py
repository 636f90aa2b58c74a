"""A round over many campaigns, in which one that fails does not stop the others."""

from collections import Counter
from collections.abc import Callable

import attrs

from campaign_workers.domain.campaigns.campaign import Campaign
from campaign_workers.domain.errors import CampaignError, Fatal, RetryLater


@attrs.frozen
class CampaignRound:
    """Counts what became of each campaign, and holds back failures until all had their turn."""

    outcomes: Counter[str] = attrs.field(factory=Counter)
    failures: dict[str, Exception] = attrs.field(factory=dict)

    def attempt(self, campaign: Campaign, step: Callable[[Campaign], str]) -> None:
        """Do one campaign's step, which returns the count that it belongs to."""
        try:
            self.outcomes[step(campaign)] += 1
        except Exception as why:  # noqa: BLE001 - what nobody foresaw is of one campaign, too
            self.failures[campaign.campaign_id] = why

    @property
    def counts(self) -> dict[str, int]:
        """The books of the round: in = out + rejected + duplicates."""
        out, duplicates = self.outcomes["out"], self.outcomes["duplicates"]
        rejected = len(self.failures)
        return {
            "in": out + rejected + duplicates,
            "out": out,
            "rejected": rejected,
            "duplicates": duplicates,
        }

    def raise_failures(self) -> None:
        """Say which campaigns failed, if any did.

        Raises:
            RetryLater: some of them may succeed when they are tried again.
            Fatal: none of them can.
            Exception: what nobody foresaw, as it was raised, so that its place can be found.
        """
        if not self.failures:
            return
        for why in self.failures.values():
            if not isinstance(why, CampaignError):
                raise why
        reasons = "; ".join(f"{campaign}: {why}" for campaign, why in self.failures.items())
        message = f"{len(self.failures)} of {self.counts['in']} campaigns failed: {reasons}"
        hopeful = any(isinstance(why, RetryLater) for why in self.failures.values())
        raise RetryLater(message) if hopeful else Fatal(message)
