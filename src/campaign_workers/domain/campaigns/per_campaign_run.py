"""A run over many campaigns, in which a campaign that fails does not stop the others."""

from collections.abc import Callable

import attrs

from campaign_workers.domain.campaigns.campaign import Campaign
from campaign_workers.domain.errors import CampaignError, Fatal, RetryLater
from campaign_workers.domain.running.reports import Report, Tally, attach_report


@attrs.frozen
class PerCampaignRun:
    """Counts what becomes of each campaign, and keeps errors until all campaigns had their turn."""

    worker: str
    _tally: Tally = attrs.field(init=False)
    _errors: dict[str, Exception] = attrs.field(factory=dict, init=False)

    @_tally.default
    def _empty_tally(self) -> Tally:
        return Tally(self.worker)

    def run(self, campaign: Campaign, step: Callable[[Campaign], str | None]) -> None:
        """Run `step` for a campaign; it returns the count to add to, or None for none."""
        try:
            outcome = step(campaign)
        except Exception as error:  # noqa: BLE001 - an unexpected error is of one campaign, too
            self._errors[campaign.campaign_id] = error
            outcome = "rejected"
        if outcome is not None:
            self._tally.add("in")
            self._tally.add(outcome)

    def report(self) -> Report:
        """Return the report if no campaign failed; its counts are campaigns.

        Raises:
            RetryLater: some of the campaigns that failed may succeed next time.
            Fatal: no campaign that failed can succeed.
            Exception: an unexpected error, as it was raised, so that its traceback is kept.
        """
        report = self._tally.report()
        if self._errors:
            raise attach_report(self._error(), report)
        return report

    def _error(self) -> Exception:
        for error in self._errors.values():
            if not isinstance(error, CampaignError):
                return error
        reasons = "; ".join(f"{campaign}: {error}" for campaign, error in self._errors.items())
        message = f"{len(self._errors)} of {self._tally.counts['in']} campaigns failed: {reasons}"
        may_succeed = any(isinstance(error, RetryLater) for error in self._errors.values())
        return RetryLater(message) if may_succeed else Fatal(message)
