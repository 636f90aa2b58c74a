"""smsWaveSend with faults: kills, lost answers, busy services, giving up."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs
import pytest

from campaign_workers.domain.errors import (
    Fatal,
    OutcomeUnknown,
    RetryLater,
)
from campaign_workers.domain.storage.layout import WaveState
from campaign_workers.ports.sms_service import TextMessage
from campaign_workers.ports.tables import Channel, Delivery
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from campaign_workers.testing.machines.wave_world import DEAD_ENDING, WaveWorld, registrant
from campaign_workers.workers.sms_wave_send.sender import Limits

WAVE = "tour_nyc"
NO_TEXT = {"doNotText": "yes"}
DEAD = {"mobileNumber": f"+12125550{DEAD_ENDING}"}
MIXED = [
    registrant(1),
    registrant(2, **NO_TEXT),
    registrant(3, **DEAD),
    registrant(4, **DEAD, email=""),
    registrant(5, code=""),
    registrant(1),
    registrant(6),
]


@attrs.define
class RecordingSmsService:
    """A text service that records requests and their concurrency."""

    world: WaveWorld
    seconds: float = 0.0
    under_way: int = 0
    most: int = 0
    asked: list[str] = attrs.field(factory=list)

    async def send(self, message: TextMessage) -> None:
        """Send a text after a pause."""
        self.asked.append(message.message_id)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.world.clock.pause(self.seconds)
            await self.world.sms.send(message)
        finally:
            self.under_way -= 1


def build_recording_world(seconds: float = 0.0) -> tuple[WaveWorld, RecordingSmsService]:
    """Return a world with slow texts, and its recording text service."""
    world = WaveWorld()
    watcher = RecordingSmsService(world, seconds)
    world.wrap = lambda port: watcher if port is world.sms else port
    return world, watcher


@pytest.mark.parametrize("rows", [MIXED, MIXED[:1], []], ids=["mixed", "one text", "nobody"])
@pytest.mark.parametrize("fields", [{}, {"rate": 2}], ids=["free", "paced"])
def test_a_killed_wave_is_finished_by_the_next_call(
    rows: list[dict[str, str]], fields: dict[str, Any]
) -> None:
    """Killed before or after any port call, a second call leads to the same state."""

    def build(wrap: Callable[[Any], Any]) -> CrashCase:
        world = WaveWorld(wrap)
        world.upload(WAVE, rows)
        key = world.schedule(WAVE, **fields)
        return CrashCase(run=lambda: world.send(key), snapshot=world.snapshot)

    assert assert_survives_every_kill(build) > 10


def test_a_killed_failure_is_finished_by_the_next_call() -> None:
    """A wave with an invalid config ends in failed/, wherever the first call was killed."""

    def build(wrap: Callable[[Any], Any]) -> CrashCase:
        world = WaveWorld(wrap)
        key = world.schedule(WAVE)

        def run() -> None:
            with pytest.raises(Fatal):
                world.send(key)

        return CrashCase(run=run, snapshot=world.snapshot)

    assert assert_survives_every_kill(build) > 10


def test_a_killed_giving_up_is_finished_by_the_next_call() -> None:
    """The config moves and the channels are alerted, wherever the call was killed."""

    def build(wrap: Callable[[Any], Any]) -> CrashCase:
        world = WaveWorld(wrap)
        world.upload(WAVE, MIXED)
        key = world.schedule(WAVE)
        return CrashCase(run=lambda: world.send(key, giveUp=True), snapshot=world.snapshot)

    assert assert_survives_every_kill(build) > 10


def test_at_most_two_hundred_texts_are_in_flight() -> None:
    """With many texts to send, nearly 200 are in flight."""
    world, watcher = build_recording_world(seconds=1)
    world.upload(WAVE, [registrant(number) for number in range(450)])
    world.send(world.schedule(WAVE))
    assert watcher.most == 200
    assert len(world.texts()) == 450


@pytest.mark.parametrize("answer_lost", [True, False], ids=["carried out", "not carried out"])
def test_a_timeout_is_retried_with_the_same_id(answer_lost: bool) -> None:
    """A timeout is not a failure: the text is sent again, and no e-mail is sent."""
    world, watcher = build_recording_world()
    world.sms.faults.fail_next(OutcomeUnknown("no answer"), times=2, answer_lost=answer_lost)
    world.upload(WAVE, [registrant(1)])
    report = world.send(world.schedule(WAVE))
    assert report.counts["sms"] == 1
    assert len(watcher.asked) == 3
    assert len(set(watcher.asked)) == len(world.texts()) == 1
    assert not world.emails()


def test_the_backoff_doubles() -> None:
    """The waits between the attempts of one text double."""
    world, watcher = build_recording_world()
    start = world.clock.now()
    world.sms.faults.fail_next(RetryLater("too many requests"), times=3)
    world.upload(WAVE, [registrant(1)])
    world.send(world.schedule(WAVE))
    assert (world.clock.now() - start).total_seconds() == 0.5 + 1 + 2
    assert len(watcher.asked) == 4


def test_an_unknown_outcome_stays_claimed_and_the_call_fails() -> None:
    """The others are finished, the call raises, and the next call tries again."""
    world = WaveWorld(limits=Limits(in_flight=1))
    world.sms.faults.fail_next(OutcomeUnknown("no answer"), times=4, answer_lost=True)
    world.upload(WAVE, MIXED)
    key = world.schedule(WAVE)
    with pytest.raises(RetryLater, match="1 rows have no known outcome"):
        world.send(key)
    assert world.states(WAVE) == [WaveState.TRIGGERED]
    states = [row["state"] for _, row in world.tables("deliveries").scan()]
    assert sorted(states) == ["claimed", "failed", "sent", "sent", "sent"]
    report = world.send(key)
    assert (report.counts["sms"], report.counts["email"], report.counts["failed"]) == (2, 2, 2)
    assert len(world.texts()) == 2


def test_a_service_that_is_down_ends_the_call() -> None:
    """After many consecutive timeouts the call ends, and no e-mails are sent instead."""
    world, watcher = build_recording_world()
    world.upload(WAVE, [registrant(number) for number in range(300)])
    world.limits = Limits(in_flight=5, max_consecutive_timeouts=10)
    key = world.schedule(WAVE)
    with world.sms.faults.outage(), pytest.raises(RetryLater):
        world.send(key)
    assert len(set(watcher.asked)) < 20
    assert not world.emails()
    assert world.send(key).counts["sms"] == 300


@pytest.mark.parametrize("call", ["claim", "settle"])
def test_a_ledger_that_fails_costs_a_retry(call: str) -> None:
    """No registrant is notified twice if the ledger fails before or after the texts."""
    world, watcher = build_recording_world()
    world.ledger.faults.fail_next(RetryLater("throttled"), call=call)
    world.upload(WAVE, [registrant(1), registrant(2, **NO_TEXT)])
    key = world.schedule(WAVE)
    with pytest.raises(RetryLater):
        world.send(key)
    assert world.send(key).counts["ok"] == 2
    assert len(world.texts()) == len(set(watcher.asked)) == 1


def test_a_queue_that_fails_costs_a_retry() -> None:
    """E-mails that could not be queued are queued by the next call."""
    world = WaveWorld()
    world.queue.fail_next(RetryLater("throttled"))
    world.upload(WAVE, [registrant(1), registrant(2, **NO_TEXT), registrant(3, **NO_TEXT)])
    key = world.schedule(WAVE)
    with pytest.raises(RetryLater):
        world.send(key)
    assert len(world.texts()) == 1
    assert world.send(key).counts["email"] == 2
    assert world.queue.depth() == 2


def test_an_outcome_of_another_run_takes_precedence() -> None:
    """If another run recorded an outcome first, it counts."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    settle = world.ledger.settle

    def settled_meanwhile(wave: str, delivery: Delivery, *, now: datetime) -> None:
        other = attrs.evolve(delivery, channel=Channel.EMAIL)
        settle(wave, other, now=now)
        settle(wave, delivery, now=now)

    world.ledger.settle = settled_meanwhile  # type: ignore[method-assign]
    assert world.send(world.schedule(WAVE)).counts["email"] == 1


def test_an_email_stays_an_email_when_its_row_changes() -> None:
    """A fan claimed for an e-mail is not texted by a later run."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1, **NO_TEXT)])
    world.ledger.faults.fail_next(RetryLater("throttled"), call="settle")
    with pytest.raises(RetryLater):
        world.send(world.schedule(WAVE))
    world.upload(WAVE, [registrant(1)])
    assert world.send(world.schedule(WAVE, source="again")).counts["email"] == 1
    assert not world.texts()
    assert len(world.emails()) == 1


def test_a_text_with_unknown_outcome_is_not_followed_by_an_email() -> None:
    """A fan who opts out of texts after a timeout gets no second message."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    world.sms.faults.fail_next(OutcomeUnknown("no answer"), times=4, answer_lost=True)
    with pytest.raises(RetryLater):
        world.send(world.schedule(WAVE))
    world.upload(WAVE, [registrant(1, **NO_TEXT)])
    report = world.send(world.schedule(WAVE, source="again"))
    assert report.details["failures"] == {"changed": 1}
    assert not world.emails()
