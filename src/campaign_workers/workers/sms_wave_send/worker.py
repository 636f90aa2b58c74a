"""smsWaveSend: notify each registrant of a wave once, by text or by e-mail.

The ledger stores the state of each registrant: claimed, together with the channel that was chosen,
then sent or failed. A call after a crash scans the file again, skips final outcomes, and repeats
claimed ones by the same channel with the same message id, so that no registrant is notified twice.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import attrs

from campaign_workers.domain.errors import BadInput, Fatal, NotFound, PermanentFailure, RetryLater
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage.layout import WaveState
from campaign_workers.domain.waves.config import WaveConfig, failure_alert
from campaign_workers.domain.waves.notifications import Notification, count_segments
from campaign_workers.domain.waves.outcomes import RowOutcome
from campaign_workers.domain.waves.plans import PlannedRow, RateLimiter, WavePlan, plan_rows
from campaign_workers.domain.waves.progress import Progress, SendRequest
from campaign_workers.ports.campaign_service import CampaignService
from campaign_workers.ports.chat import Chat
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.sms_service import SmsService
from campaign_workers.ports.streams import MessageQueue
from campaign_workers.ports.system import Clock, Deadline
from campaign_workers.ports.tables import DeliveryLedger
from campaign_workers.worker_library.iteration import batches
from campaign_workers.workers.sms_wave_send.sender import Limits, WaveSender, outcome_of
from campaign_workers.workers.sms_wave_send.wave_objects import WaveObjects

WORKER: Final = "smsWaveSend"


@attrs.frozen(kw_only=True)
class SmsWaveSend:
    """Notify the registrants of a wave."""

    scoring: ObjectStore
    campaigns: CampaignService
    sms: SmsService
    emails: MessageQueue
    ledger: DeliveryLedger
    chat: Chat
    clock: Clock
    deadline: Deadline
    limits: Limits = attrs.field(factory=Limits)

    parse = staticmethod(SendRequest.parse)

    def __call__(self, request: SendRequest) -> Report:
        """Send the wave of `{configKey, cursor?}`, or give it up with `{configKey, giveUp: true}`.

        Counts are the rows of the whole wave with a final outcome: total = ok + failed +
        overLimit + duplicates, ok = sms + email. `unsettled` counts rows that are still pending.
        A `cursor` in the details means that another call has to continue, not before `waitUntil`
        if that is given.

        Raises:
            Fatal: the wave cannot be sent; its config is in `failed/`, with the reason.
            RetryLater: a service failed, or texts were not answered; everything else was sent.
        """
        objects = WaveObjects(self.scoring, request.wave, request.version)
        if request.give_up:
            return self._give_up(request, objects)
        started = objects.start()
        if started is None:
            return _report(request, self._load_progress(objects, WaveState.COMPLETED))
        document, config = started
        try:
            sender, etag = self._prepare(request, objects, config)
            asyncio.run(sender.run())
            if sender.is_complete:
                objects.complete(document)
        except Fatal as error:
            objects.fail(WaveState.TRIGGERED, document, str(error))
            raise
        return self._report_call(request, sender, etag)

    def _report_call(self, request: SendRequest, sender: WaveSender, etag: str) -> Report:
        if sender.is_complete:
            return _report(request, sender.progress)
        cursor = sender.progress.cursor(etag)
        has_progressed = sender.has_recorded or cursor.position > sender.progress.position
        if not sender.can_continue or not (has_progressed or sender.opens_at):
            pending = sender.progress.pending_rows
            raise RetryLater(f"{request.wave}: {pending} rows have no known outcome; retry")
        until = {"waitUntil": iso_utc(sender.opens_at)} if sender.opens_at else {}
        return _report(request, sender.progress, {"cursor": cursor.to_json()} | until)

    def _prepare(
        self, request: SendRequest, objects: WaveObjects, config: WaveConfig
    ) -> tuple[WaveSender, str]:
        """Return the sender of a wave and the ETag of its file, which is validated first."""
        registrants = objects.registrants(request.cursor.etag if request.cursor else None)
        # An earlier call may have sent texts until just now, and they count towards the rate.
        rate_limiter = RateLimiter(config.rate, start=self.clock.now()) if config.rate else None
        sender = WaveSender(
            wave=objects.wave,
            plan=WavePlan(config=config, market_zones=self._market_zones(config)),
            rows=lambda: objects.rows(registrants),
            progress=Progress(request.cursor),
            sms=self.sms,
            emails=self.emails,
            ledger=self.ledger,
            clock=self.clock,
            deadline=self.deadline,
            limits=self.limits,
            rate_limiter=rate_limiter,
        )
        if request.cursor is None:
            if config.texting_hours:
                # From the time it was triggered, so that a retry gives the same result.
                sender.plan.validate(sender.planned_rows(), objects.triggered_at())
            else:
                # Read the whole file, so that an invalid file fails before the first text.
                deque(sender.rows(), maxlen=0)
        return sender, registrants.etag

    def _market_zones(self, config: WaveConfig) -> dict[str, str]:
        if config.texting_hours is None:
            return {}
        markets = self.campaigns.markets(config.campaign_id)
        return {market.market_id: market.timezone for market in markets if market.timezone}

    def _give_up(self, request: SendRequest, objects: WaveObjects) -> Report:
        """Move the config to `failed/` and alert the campaign's channels."""
        failed = objects.give_up("given up after the last attempt")
        if failed is None:
            return _report(request, self._load_progress(objects, WaveState.COMPLETED))
        progress = self._load_progress(objects, WaveState.FAILED)
        channels = self._alert(objects.wave, failed, progress.counts())
        return _report(request, progress, {"gaveUp": True, "alerted": channels})

    def _load_progress(self, objects: WaveObjects, state: WaveState) -> Progress:
        """Load from the ledger the outcomes of a wave in `state`, without claiming anything."""
        progress = Progress(None)
        try:
            config = objects.config(state)
            rows = plan_rows(
                objects.rows(objects.registrants(None)),
                campaign_id=config.campaign_id,
                wave=objects.wave,
                limit=config.total_limit,
            )
            for batch in batches(rows, self.limits.batch_size):
                self._load_outcomes(objects.wave, batch, progress)
        except Fatal:
            # The wave may have failed because of its files; report what could be read.
            return progress
        return progress

    def _load_outcomes(self, wave: str, batch: list[PlannedRow], progress: Progress) -> None:
        ids = [planned.message_id for _, planned in batch if isinstance(planned, Notification)]
        deliveries = self.ledger.read(wave, ids) if ids else {}
        for row, planned in batch:
            progress.is_pending(row)
            if isinstance(planned, RowOutcome):
                progress.record(row, planned)
                continue
            outcome = outcome_of(deliveries.get(planned.message_id), planned)
            segments = count_segments(planned.text) if outcome is RowOutcome.SMS else 0
            progress.record(row, outcome, segments=segments)

    def _alert(self, wave: str, config: bytes, counts: Mapping[str, int]) -> list[str]:
        """Post an alert to the campaign's channels; return those that accepted it."""
        alerted = []
        for channel in self._channels(config):
            try:
                self.chat.post(channel, failure_alert(wave, config, counts))
            except PermanentFailure:
                continue
            alerted.append(channel)
        return alerted

    def _channels(self, config: bytes) -> tuple[str, ...]:
        try:
            campaign_id = WaveConfig.parse(config, file="failed").campaign_id
            return self.campaigns.campaign(campaign_id).stats_channels
        except (BadInput, NotFound):
            return ()


def _report(
    request: SendRequest, progress: Progress, details: Mapping[str, Any] | None = None
) -> Report:
    failures = {"failures": progress.failures()}
    return Report(
        worker=WORKER,
        counts=progress.counts(),
        details={"configKey": request.config_key, **failures, **(details or {})},
    )
