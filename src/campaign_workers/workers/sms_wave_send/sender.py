"""One call's work on a wave: texts side by side under a rate, e-mails by the batch."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

import attrs

from campaign_workers.domain.csv.rows import Row
from campaign_workers.domain.errors import Conflict, PermanentFailure, RetryLater
from campaign_workers.domain.running.events import MAX_MESSAGE_BYTES
from campaign_workers.domain.waves.notifications import Fate, Notification, segments
from campaign_workers.domain.waves.plans import Pace, WavePlan
from campaign_workers.domain.waves.progress import Progress, batches, judged
from campaign_workers.ports.sms_service import SmsService, TextMessage
from campaign_workers.ports.streams import MessageQueue
from campaign_workers.ports.system import Clock, Deadline
from campaign_workers.ports.tables import Channel, Delivery, DeliveryLedger, DeliveryState

_Todo = tuple[int, Notification]
"""The number of a row, and who is to be notified."""

_CHANNELS: Final = {Fate.SMS: Channel.SMS, Fate.EMAIL: Channel.EMAIL}
_FATES: Final = {channel: fate for fate, channel in _CHANNELS.items()}


def fate_of(delivery: Delivery | None, notification: Notification) -> Fate:
    """What the ledger says became of a registrant; `OPEN` if it is claimed or not known."""
    match delivery:
        case Delivery(state=DeliveryState.SENT, channel=Channel() as channel):
            return _FATES[channel]
        case Delivery(state=DeliveryState.FAILED):
            return Fate.REFUSED
    return notification.failure or Fate.OPEN


@attrs.frozen(kw_only=True)
class Limits:
    """How much at a time, how often, and when to stop.

    At most `in_flight` texts are under way, each tried `attempts` times; the waits between them
    double from `backoff_seconds`. Ledger and queue get `batch_size` at a time. When `lost_in_a_row`
    texts got no answer the service is taken to be down; with less than `reserve_seconds` left the
    call ends and says where to go on.
    """

    in_flight: int = 200
    batch_size: int = 100
    attempts: int = 4
    backoff_seconds: float = 0.5
    lost_in_a_row: int = 200
    reserve_seconds: float = 60


@attrs.define(kw_only=True)
class Sending:
    """Sends what is open of a wave, as far as time and the systems allow."""

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
    pace: Pace | None
    opens: datetime | None = None
    """When the first of those who wait for their hours can be texted."""
    is_complete: bool = False
    has_settled: bool = False
    _is_out_of_time: bool = False
    _is_down: bool = False
    _lost: int = 0
    _letters: list[_Todo] = attrs.field(factory=list)
    _flying: set[asyncio.Task[None]] = attrs.field(factory=set)
    _turn: asyncio.Lock = attrs.field(factory=asyncio.Lock)

    @property
    def may_go_on_later(self) -> bool:
        """Whether nothing is wrong but the time, so that another call can do the rest."""
        return not self._is_down and (self._is_out_of_time or self.opens is not None)

    def judged(self) -> Iterator[tuple[int, Notification | Fate]]:
        """The rows of the file with what is to be done about each."""
        config = self.plan.config
        return judged(
            self.rows(), campaign_id=config.campaign_id, wave=self.wave, limit=config.total_limit
        )

    async def run(self) -> None:
        """Go over the file until nothing more can be done in this call.

        Whoever waits for texting hours is waited for if the time of this call allows.
        """
        try:
            while True:
                self.opens = None
                await self._pass()
                if not await self._woken():
                    return
        finally:
            for task in self._flying:
                task.cancel()
            await asyncio.gather(*self._flying, return_exceptions=True)

    async def _woken(self) -> bool:
        """Wait for the hours of whoever waits; False if nobody does, or not in this call."""
        if self._must_stop() or self.opens is None:
            return False
        wait = (self.opens - self.clock.now()).total_seconds()
        if wait > self._seconds_left():
            return False
        await self.clock.pause(wait)
        return True

    async def _pass(self) -> None:
        reached_end = await self._gone_over()
        await self._landed(0)
        self._post()
        self.is_complete = reached_end and not self.progress.unsettled_rows

    async def _gone_over(self) -> bool:
        """Go over the file once; whether that came to its end."""
        try:
            for batch in batches(self._open_rows(), self.limits.batch_size):
                if self._must_stop():
                    return False
                await self._deliver(batch)
                if len(self._letters) >= self.limits.batch_size:
                    self._post()
        except RetryLater:
            self._is_down = True
        return not self._is_down

    def _open_rows(self) -> Iterator[_Todo]:
        for row, found in self.judged():
            if not self.progress.is_open(row):
                continue
            if isinstance(found, Fate):
                self.progress.note(row, found)
            elif found.failure:
                self.progress.note(row, found.failure)
            else:
                yield row, found

    async def _deliver(self, batch: list[_Todo]) -> None:
        """Claim a batch, each by the channel that is decided now, and send what was open."""
        now = self.clock.now()
        decided = [(self.plan.channel(todo[1], now), todo) for todo in batch]
        for fate, channel in _CHANNELS.items():
            todos = [todo for wanted, todo in decided if wanted is fate]
            if not todos:
                continue
            ids = [notification.message_id for _, notification in todos]
            claims = self.ledger.claim(self.wave, ids, now=now, channel=channel)
            for todo in todos:
                await self._take(todo, claims[todo[1].message_id], channel)

    async def _take(self, todo: _Todo, claim: Delivery, channel: Channel) -> None:
        notification = todo[1]
        if (fate := fate_of(claim, notification)) is not Fate.OPEN:
            self._note(todo, fate)
        elif (claim.channel or channel) is Channel.EMAIL:
            self._by_email(todo, Fate.NO_CHANNEL)
        elif notification.phone is None:
            # A text may have gone before the row was changed, and an e-mail would be the second.
            self._settle(todo, Fate.CHANGED)
        elif self.plan.opening(notification, self.clock.now()) is None:
            self._settle(todo, Fate.NO_CHANNEL)
        else:
            await self._landed(self.limits.in_flight - 1)
            self._flying.add(asyncio.create_task(self._by_text(todo, notification.phone)))

    async def _landed(self, most: int) -> None:
        """Wait until at most so many texts are under way."""
        while len(self._flying) > most:
            done, self._flying = await asyncio.wait(
                self._flying, return_when=asyncio.FIRST_COMPLETED
            )
            for failure in [task.exception() for task in done]:
                if failure:
                    raise failure

    async def _by_text(self, todo: _Todo, phone: str) -> None:
        notification = todo[1]
        message = TextMessage(
            message_id=notification.message_id,
            phone=phone,
            text=notification.text,
            group=self.wave,
            metadata={"campaignId": notification.campaign_id},
        )
        accepted = await self._answer(notification, message)
        if accepted is None:
            return
        self._lost = 0
        if accepted:
            self._settle(todo, Fate.SMS)
        else:
            self._by_email(todo, Fate.REFUSED)

    async def _answer(self, notification: Notification, message: TextMessage) -> bool | None:
        """Whether the service accepted a text or refuses it for good, None if that is not known."""
        for attempt in range(self.limits.attempts):
            if attempt:
                await self.clock.pause(self.limits.backoff_seconds * 2 ** (attempt - 1))
            if not await self._may_go(notification):
                return None
            try:
                await self.sms.send(message)
            except PermanentFailure:
                return False
            except RetryLater:
                continue
            return True
        self._lost += 1
        self._is_down = self._is_down or self._lost >= self.limits.lost_in_a_row
        return None

    async def _may_go(self, notification: Notification) -> bool:
        """Wait for the turn of a text; False if it cannot go in this call, or not at this hour."""
        async with self._turn:
            while self.pace and (wait := (self.pace.due() - self.clock.now()).total_seconds()) > 0:
                self._is_out_of_time = self._is_out_of_time or wait > self._seconds_left()
                if self._must_stop():
                    return False
                await self.clock.pause(wait)
            now = self.clock.now()
            if self._must_stop() or not self._is_awake(notification, now):
                return False
            if self.pace:
                self.pace.go(now)
            return True

    def _is_awake(self, notification: Notification, now: datetime) -> bool:
        opening = self.plan.opening(notification, now)
        if opening is not None and opening > now:
            self.opens = min(opening, self.opens or opening)
        return opening == now

    def _by_email(self, todo: _Todo, failure: Fate) -> None:
        """Put an e-mail with the next ones to post; without an address it is a `failure`."""
        if todo[1].email is None:
            self._settle(todo, failure)
        elif len(todo[1].email_body().encode()) > MAX_MESSAGE_BYTES:
            self._settle(todo, Fate.TOO_LARGE)
        else:
            self._letters.append(todo)

    def _post(self) -> None:
        for batch in batches(self._letters, self.limits.batch_size):
            try:
                self.emails.send([notification.email_body() for _, notification in batch])
            except RetryLater:
                self._is_down = True
                break
            for todo in batch:
                self._settle(todo, Fate.EMAIL)
        self._letters.clear()

    def _settle(self, todo: _Todo, fate: Fate) -> None:
        """Write an outcome down; what another run settled meanwhile stands."""
        notification = todo[1]
        channel = _CHANNELS.get(fate)
        state = DeliveryState.SENT if channel else DeliveryState.FAILED
        delivery = Delivery(message_id=notification.message_id, state=state, channel=channel)
        try:
            self.ledger.settle(self.wave, delivery, now=self.clock.now())
        except Conflict:
            found = self.ledger.read(self.wave, [notification.message_id])
            fate = fate_of(found.get(notification.message_id), notification)
        except RetryLater:
            self._is_down = True
            return
        self.has_settled = True
        self._note(todo, fate)

    def _note(self, todo: _Todo, fate: Fate) -> None:
        row, notification = todo
        count = segments(notification.text) if fate is Fate.SMS else 0
        self.progress.note(row, fate, segments=count)

    def _must_stop(self) -> bool:
        self._is_out_of_time = self._is_out_of_time or self._seconds_left() < 0
        return self._is_out_of_time or self._is_down

    def _seconds_left(self) -> float:
        return self.deadline.remaining_seconds() - self.limits.reserve_seconds
