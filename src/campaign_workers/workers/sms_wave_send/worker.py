"""smsWaveSend: everybody in a wave is notified once, by text or else by e-mail.

The ledger remembers each registrant: claimed together with the channel that was decided, then
sent or failed. A call that follows a crash goes over the file again, skips what is settled, and
repeats what is claimed by the same channel under the same message id, so that nobody hears twice.
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
from campaign_workers.domain.waves.notifications import Fate, Notification, segments
from campaign_workers.domain.waves.plans import Pace, WavePlan
from campaign_workers.domain.waves.progress import Progress, SendRequest, batches, judged
from campaign_workers.ports.campaign_service import CampaignService
from campaign_workers.ports.chat import Chat
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.sms_service import SmsService
from campaign_workers.ports.streams import MessageQueue
from campaign_workers.ports.system import Clock, Deadline
from campaign_workers.ports.tables import DeliveryLedger
from campaign_workers.workers.sms_wave_send.sender import Limits, Sending, fate_of
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

        Counts are rows of the whole wave, as far as they are settled: total = ok + failed +
        overLimit + duplicates, ok = sms + email; besides, `unsettled` rows that were seen. With a
        `cursor` in the details there is more to do, not before `waitUntil` if that is given.

        Raises:
            Fatal: the wave cannot be sent; its config is in `failed/`, with the reason.
            RetryLater: a system failed, or some texts got no answer; what could be done is done.
        """
        objects = WaveObjects(self.scoring, request.wave, request.version)
        if request.give_up:
            return self._give_up(request, objects)
        begun = objects.begin()
        if begun is None:
            return _report(request, self._known(objects, WaveState.COMPLETED))
        document, config = begun
        try:
            sending, etag = self._prepared(request, objects, config)
            asyncio.run(sending.run())
            if sending.is_complete:
                objects.complete(document)
        except Fatal as why:
            objects.fail(WaveState.TRIGGERED, document, str(why))
            raise
        return self._outcome(request, sending, etag)

    def _outcome(self, request: SendRequest, sending: Sending, etag: str) -> Report:
        if sending.is_complete:
            return _report(request, sending.progress)
        cursor = sending.progress.cursor(etag)
        went_on = sending.has_settled or cursor.position > sending.progress.position
        if not sending.may_go_on_later or not (went_on or sending.opens):
            raise RetryLater(f"{request.wave}: not everybody's outcome is known")
        until = {"waitUntil": iso_utc(sending.opens)} if sending.opens else {}
        return _report(request, sending.progress, {"cursor": cursor.wire()} | until)

    def _prepared(
        self, request: SendRequest, objects: WaveObjects, config: WaveConfig
    ) -> tuple[Sending, str]:
        """The sending of a wave that was checked before its first text, and its file's version."""
        registrants = objects.registrants(request.cursor.etag if request.cursor else None)
        plan = WavePlan(config=config, market_zones=self._market_zones(config))
        # An earlier call may have sent texts until just now, and they count for the rate too.
        pace = Pace(config.rate, start=self.clock.now()) if config.rate else None
        sending = Sending(
            wave=objects.wave,
            plan=plan,
            rows=lambda: objects.rows(registrants),
            progress=Progress(request.cursor),
            sms=self.sms,
            emails=self.emails,
            ledger=self.ledger,
            clock=self.clock,
            deadline=self.deadline,
            limits=self.limits,
            pace=pace,
        )
        if request.cursor is None:
            if config.texting_hours:
                # From when it was triggered, so that a retry comes to the same conclusion.
                plan.check(sending.judged(), objects.triggered_at())
            else:
                # Read to the end, so that a broken file is refused before its first text.
                deque(sending.rows(), maxlen=0)
        return sending, registrants.etag

    def _market_zones(self, config: WaveConfig) -> dict[str, str]:
        if config.texting_hours is None:
            return {}
        markets = self.campaigns.markets(config.campaign_id)
        return {market.market_id: market.timezone for market in markets if market.timezone}

    def _give_up(self, request: SendRequest, objects: WaveObjects) -> Report:
        """After the last attempt: the config goes to `failed/`, and people are told."""
        failed = objects.give_up("given up after the last attempt")
        if failed is None:
            return _report(request, self._known(objects, WaveState.COMPLETED))
        progress = self._known(objects, WaveState.FAILED)
        channels = self._alert(objects.wave, failed, progress.counts())
        return _report(request, progress, {"gaveUp": True, "alerted": channels})

    def _known(self, objects: WaveObjects, state: WaveState) -> Progress:
        """What the ledger knows of a wave whose config is in `state`, claiming nothing."""
        progress = Progress(None)
        try:
            config = objects.config(state)
            rows = judged(
                objects.rows(objects.registrants(None)),
                campaign_id=config.campaign_id,
                wave=objects.wave,
                limit=config.total_limit,
            )
            for batch in batches(rows, self.limits.batch_size):
                self._look_up(objects.wave, batch, progress)
        except Fatal:
            # The wave may have failed for its files; what could be read of them counts.
            return progress
        return progress

    def _look_up(
        self, wave: str, batch: list[tuple[int, Notification | Fate]], progress: Progress
    ) -> None:
        ids = [found.message_id for _, found in batch if isinstance(found, Notification)]
        known = self.ledger.read(wave, ids) if ids else {}
        for row, found in batch:
            progress.is_open(row)
            if isinstance(found, Fate):
                progress.note(row, found)
                continue
            fate = fate_of(known.get(found.message_id), found)
            count = segments(found.text) if fate is Fate.SMS else 0
            progress.note(row, fate, segments=count)

    def _alert(self, wave: str, config: bytes, counts: Mapping[str, int]) -> list[str]:
        """Tell the campaign's channels; which of them took it."""
        told = []
        for channel in self._channels(config):
            try:
                self.chat.post(channel, failure_alert(wave, config, counts))
            except PermanentFailure:
                continue
            told.append(channel)
        return told

    def _channels(self, config: bytes) -> tuple[str, ...]:
        try:
            campaign_id = WaveConfig.read(config, file="failed").campaign_id
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
