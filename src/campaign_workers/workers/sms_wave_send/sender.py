"""Sending of a wave within one call: concurrent texts under a rate limit, e-mails in batches."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

import attrs

from campaign_workers.domain.csv.rows import Row
from campaign_workers.domain.errors import Conflict, PermanentFailure, RetryLater
from campaign_workers.domain.running.events import MAX_MESSAGE_BYTES
from campaign_workers.domain.waves.notifications import Notification, count_segments
from campaign_workers.domain.waves.outcomes import RowOutcome
from campaign_workers.domain.waves.plans import PlannedRow, RateLimiter, WavePlan, plan_rows
from campaign_workers.domain.waves.progress import Progress
from campaign_workers.ports.sms_service import SmsService, TextMessage
from campaign_workers.ports.streams import MessageQueue
from campaign_workers.ports.system import Clock, Deadline
from campaign_workers.ports.tables import Channel, Delivery, DeliveryLedger, DeliveryState
from campaign_workers.worker_library.iteration import batches

_PendingRow = tuple[int, Notification]
"""The number of a row, and its notification."""

_CHANNELS: Final = {RowOutcome.SMS: Channel.SMS, RowOutcome.EMAIL: Channel.EMAIL}
_OUTCOMES: Final = {channel: outcome for outcome, channel in _CHANNELS.items()}


def outcome_of(delivery: Delivery | None, notification: Notification) -> RowOutcome:
    """Return the outcome that the ledger has for a registrant; a claim alone is `PENDING`."""
    match delivery:
        case Delivery(state=DeliveryState.SENT, channel=Channel() as channel):
            return _OUTCOMES[channel]
        case Delivery(state=DeliveryState.FAILED):
            return RowOutcome.REFUSED
    return notification.failure or RowOutcome.PENDING


@attrs.frozen(kw_only=True)
class Limits:
    """Limits of one call: concurrency, batch sizes, retries and when to stop.

    At most `in_flight` texts are in flight. A text is tried `attempts` times, with a backoff that
    starts at `backoff_seconds` and doubles. Ledger and queue get batches of `batch_size`. After
    `max_consecutive_timeouts` texts without an answer the service is considered down. With less
    than `shutdown_margin_seconds` left the call stops and returns a cursor.
    """

    in_flight: int = 200
    batch_size: int = 100
    attempts: int = 4
    backoff_seconds: float = 0.5
    max_consecutive_timeouts: int = 200
    shutdown_margin_seconds: float = 60


@attrs.define(kw_only=True)
class WaveSender:
    """Sends the pending notifications of a wave, as far as time and services allow."""

    wave: str
    plan: WavePlan
    rows: Callable[[], Iterator[Row]]
    progress: Progress
    sms: SmsService
    emails: MessageQueue
    ledger: DeliveryLedger
    clock: Clock
    deadline: Deadline
    limits: Limits
    rate_limiter: RateLimiter | None
    opens_at: datetime | None = None
    """When the texting hours of the first waiting recipient open."""
    is_complete: bool = False
    has_recorded: bool = False
    _is_out_of_time: bool = False
    _is_down: bool = False
    _consecutive_timeouts: int = 0
    _email_batch: list[_PendingRow] = attrs.field(factory=list)
    _in_flight: set[asyncio.Task[None]] = attrs.field(factory=set)
    _slot_lock: asyncio.Lock = attrs.field(factory=asyncio.Lock)

    @property
    def can_continue(self) -> bool:
        """Whether only time prevents completion, so that another call can do the rest."""
        return not self._is_down and (self._is_out_of_time or self.opens_at is not None)

    def planned_rows(self) -> Iterator[PlannedRow]:
        """Return the rows of the wave file, each with its notification or the reason for none."""
        config = self.plan.config
        return plan_rows(
            self.rows(), campaign_id=config.campaign_id, wave=self.wave, limit=config.total_limit
        )

    async def run(self) -> None:
        """Scan the file until nothing more can be done in this call.

        Waits for texting hours to open if the deadline allows.
        """
        try:
            while True:
                self.opens_at = None
                await self._run_once()
                if not await self._wait_for_hours():
                    return
        finally:
            for task in self._in_flight:
                task.cancel()
            await asyncio.gather(*self._in_flight, return_exceptions=True)

    async def _wait_for_hours(self) -> bool:
        """Wait until texting hours open; False if no text waits or the deadline is earlier."""
        if self._must_stop() or self.opens_at is None:
            return False
        wait = (self.opens_at - self.clock.now()).total_seconds()
        if wait > self._seconds_left():
            return False
        await self.clock.pause(wait)
        return True

    async def _run_once(self) -> None:
        reached_end = await self._scan_file()
        await self._wait_for_capacity(0)
        self._send_emails()
        self.is_complete = reached_end and not self.progress.pending_rows

    async def _scan_file(self) -> bool:
        """Process the pending rows of the file; return whether the scan reached its end."""
        try:
            for batch in batches(self._pending_rows(), self.limits.batch_size):
                if self._must_stop():
                    return False
                await self._deliver(batch)
                if len(self._email_batch) >= self.limits.batch_size:
                    self._send_emails()
        except RetryLater:
            self._is_down = True
        return not self._is_down

    def _pending_rows(self) -> Iterator[_PendingRow]:
        for row, planned in self.planned_rows():
            if not self.progress.is_pending(row):
                continue
            if isinstance(planned, RowOutcome):
                self.progress.record(row, planned)
            elif planned.failure:
                self.progress.record(row, planned.failure)
            else:
                yield row, planned

    async def _deliver(self, batch: list[_PendingRow]) -> None:
        """Claim each row for the channel that applies now, and send what is still pending."""
        now = self.clock.now()
        planned = [(self.plan.channel(pending[1], now), pending) for pending in batch]
        for outcome, channel in _CHANNELS.items():
            members = [pending for wanted, pending in planned if wanted is outcome]
            if not members:
                continue
            ids = [notification.message_id for _, notification in members]
            claims = self.ledger.claim(self.wave, ids, now=now, channel=channel)
            for pending in members:
                await self._send(pending, claims[pending[1].message_id], channel)

    async def _send(self, pending: _PendingRow, claim: Delivery, channel: Channel) -> None:
        notification = pending[1]
        if (outcome := outcome_of(claim, notification)).is_final:
            self._record_progress(pending, outcome)
        elif (claim.channel or channel) is Channel.EMAIL:
            self._add_email(pending, RowOutcome.NO_CHANNEL)
        elif notification.phone is None:
            # A text may have been sent before the row was changed; an e-mail would be a second
            # message.
            self._record(pending, RowOutcome.CHANGED)
        elif self.plan.next_opening(notification, self.clock.now()) is None:
            self._record(pending, RowOutcome.NO_CHANNEL)
        else:
            await self._wait_for_capacity(self.limits.in_flight - 1)
            task = asyncio.create_task(self._send_text(pending, notification.phone))
            self._in_flight.add(task)

    async def _wait_for_capacity(self, limit: int) -> None:
        """Wait until at most `limit` texts are in flight."""
        while len(self._in_flight) > limit:
            done, self._in_flight = await asyncio.wait(
                self._in_flight, return_when=asyncio.FIRST_COMPLETED
            )
            for error in [task.exception() for task in done]:
                if error:
                    raise error

    async def _send_text(self, pending: _PendingRow, phone: str) -> None:
        notification = pending[1]
        message = TextMessage(
            message_id=notification.message_id,
            phone=phone,
            text=notification.text,
            group=self.wave,
            metadata={"campaignId": notification.campaign_id},
        )
        is_accepted = await self._try_text(notification, message)
        if is_accepted is None:
            return
        self._consecutive_timeouts = 0
        if is_accepted:
            self._record(pending, RowOutcome.SMS)
        else:
            self._add_email(pending, RowOutcome.REFUSED)

    async def _try_text(self, notification: Notification, message: TextMessage) -> bool | None:
        """Return whether the service accepted a text; None if the answer is unknown."""
        for attempt in range(self.limits.attempts):
            if attempt:
                await self.clock.pause(self.limits.backoff_seconds * 2 ** (attempt - 1))
            if not await self._acquire_slot(notification):
                return None
            try:
                await self.sms.send(message)
            except PermanentFailure:
                return False
            except RetryLater:
                continue
            return True
        self._consecutive_timeouts += 1
        has_too_many = self._consecutive_timeouts >= self.limits.max_consecutive_timeouts
        self._is_down = self._is_down or has_too_many
        return None

    async def _acquire_slot(self, notification: Notification) -> bool:
        """Wait for a slot of the rate limiter; False if the text must not be sent now."""
        limiter = self.rate_limiter
        async with self._slot_lock:
            while (
                limiter and (wait := (limiter.next_slot() - self.clock.now()).total_seconds()) > 0
            ):
                self._is_out_of_time = self._is_out_of_time or wait > self._seconds_left()
                if self._must_stop():
                    return False
                await self.clock.pause(wait)
            now = self.clock.now()
            if self._must_stop() or not self._is_within_hours(notification, now):
                return False
            if limiter:
                limiter.record(now)
            return True

    def _is_within_hours(self, notification: Notification, now: datetime) -> bool:
        opening = self.plan.next_opening(notification, now)
        if opening is not None and opening > now:
            self.opens_at = min(opening, self.opens_at or opening)
        return opening == now

    def _add_email(self, pending: _PendingRow, failure: RowOutcome) -> None:
        """Add an e-mail to the batch; without an address the outcome is `failure`."""
        if pending[1].email is None:
            self._record(pending, failure)
        elif len(pending[1].email_body().encode()) > MAX_MESSAGE_BYTES:
            self._record(pending, RowOutcome.TOO_LARGE)
        else:
            self._email_batch.append(pending)

    def _send_emails(self) -> None:
        for batch in batches(self._email_batch, self.limits.batch_size):
            try:
                self.emails.send([notification.email_body() for _, notification in batch])
            except RetryLater:
                self._is_down = True
                break
            for pending in batch:
                self._record(pending, RowOutcome.EMAIL)
        self._email_batch.clear()

    def _record(self, pending: _PendingRow, outcome: RowOutcome) -> None:
        """Record an outcome in the ledger; an outcome of another run takes precedence."""
        notification = pending[1]
        channel = _CHANNELS.get(outcome)
        state = DeliveryState.SENT if channel else DeliveryState.FAILED
        delivery = Delivery(message_id=notification.message_id, state=state, channel=channel)
        try:
            self.ledger.settle(self.wave, delivery, now=self.clock.now())
        except Conflict:
            known = self.ledger.read(self.wave, [notification.message_id])
            outcome = outcome_of(known.get(notification.message_id), notification)
        except RetryLater:
            self._is_down = True
            return
        self.has_recorded = True
        self._record_progress(pending, outcome)

    def _record_progress(self, pending: _PendingRow, outcome: RowOutcome) -> None:
        row, notification = pending
        segments = count_segments(notification.text) if outcome is RowOutcome.SMS else 0
        self.progress.record(row, outcome, segments=segments)

    def _must_stop(self) -> bool:
        self._is_out_of_time = self._is_out_of_time or self._seconds_left() < 0
        return self._is_out_of_time or self._is_down

    def _seconds_left(self) -> float:
        return self.deadline.remaining_seconds() - self.limits.shutdown_margin_seconds
