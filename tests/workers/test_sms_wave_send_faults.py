"""smsWaveSend on bad days: kills, lost answers, busy services, refused waves, giving up."""

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
class Watched:
    """The text service, seen from its line: what is under way at once, and whatever was asked."""

    world: WaveWorld
    seconds: float = 0.0
    under_way: int = 0
    most: int = 0
    asked: list[str] = attrs.field(factory=list)

    async def send(self, message: TextMessage) -> None:
        """Let a text take its time."""
        self.asked.append(message.message_id)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.world.clock.pause(self.seconds)
            await self.world.sms.send(message)
        finally:
            self.under_way -= 1


def watched(seconds: float = 0.0) -> tuple[WaveWorld, Watched]:
    """A world whose texts take some time, and the watcher."""
    world = WaveWorld()
    watcher = Watched(world, seconds)
    world.wrap = lambda port: watcher if port is world.sms else port
    return world, watcher


@pytest.mark.parametrize("rows", [MIXED, MIXED[:1], []], ids=["mixed", "one text", "nobody"])
@pytest.mark.parametrize("fields", [{}, {"rate": 2}], ids=["free", "paced"])
def test_a_killed_wave_is_finished_by_the_next_call(
    rows: list[dict[str, str]], fields: dict[str, Any]
) -> None:
    """Killed before or after any call of any port, a second call ends in the same world."""

    def build(wrap: Callable[[Any], Any]) -> CrashCase:
        world = WaveWorld(wrap)
        world.upload(WAVE, rows)
        key = world.schedule(WAVE, **fields)
        return CrashCase(run=lambda: world.send(key), snapshot=world.snapshot)

    assert assert_survives_every_kill(build) > 10


def test_a_killed_refusal_is_finished_by_the_next_call() -> None:
    """A wave that is refused ends in failed/, wherever the first call was killed."""

    def build(wrap: Callable[[Any], Any]) -> CrashCase:
        world = WaveWorld(wrap)
        key = world.schedule(WAVE)

        def run() -> None:
            with pytest.raises(Fatal):
                world.send(key)

        return CrashCase(run=run, snapshot=world.snapshot)

    assert assert_survives_every_kill(build) > 10


def test_a_killed_giving_up_is_finished_by_the_next_call() -> None:
    """Giving up moves the config and tells people, wherever it was killed."""

    def build(wrap: Callable[[Any], Any]) -> CrashCase:
        world = WaveWorld(wrap)
        world.upload(WAVE, MIXED)
        key = world.schedule(WAVE)
        return CrashCase(run=lambda: world.send(key, giveUp=True), snapshot=world.snapshot)

    assert assert_survives_every_kill(build) > 10


def test_no_more_than_two_hundred_texts_are_under_way() -> None:
    """However many there are to send, at most 200 are in flight, and nearly that many are."""
    world, watcher = watched(seconds=1)
    world.upload(WAVE, [registrant(number) for number in range(450)])
    world.send(world.schedule(WAVE))
    assert watcher.most == 200
    assert len(world.texts()) == 450


@pytest.mark.parametrize("answer_lost", [True, False], ids=["carried out", "not carried out"])
def test_an_unknown_outcome_is_asked_again_with_the_same_id(answer_lost: bool) -> None:
    """A time-out is no failure: the same text is sent again, and no e-mail goes."""
    world, watcher = watched()
    world.sms.faults.fail_next(OutcomeUnknown("no answer"), times=2, answer_lost=answer_lost)
    world.upload(WAVE, [registrant(1)])
    report = world.send(world.schedule(WAVE))
    assert report.counts["sms"] == 1
    assert len(watcher.asked) == 3
    assert len(set(watcher.asked)) == len(world.texts()) == 1
    assert not world.emails()


def test_a_busy_service_is_given_time() -> None:
    """Between the attempts of one text the waits double."""
    world, watcher = watched()
    start = world.clock.now()
    world.sms.faults.fail_next(RetryLater("too many requests"), times=3)
    world.upload(WAVE, [registrant(1)])
    world.send(world.schedule(WAVE))
    assert (world.clock.now() - start).total_seconds() == 0.5 + 1 + 2
    assert len(watcher.asked) == 4


def test_what_stays_unknown_stays_claimed_and_the_step_fails() -> None:
    """After all attempts the others are done, the call raises, and the next one asks again."""
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


def test_a_service_that_is_down_is_left_alone() -> None:
    """When text after text gets no answer the call ends early, with nobody written to instead."""
    world, watcher = watched()
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
    """Nobody hears twice when the ledger fails before or after the texts."""
    world, watcher = watched()
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


def test_what_another_run_settled_stands() -> None:
    """When a delivery was settled otherwise meanwhile, the ledger's word counts."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    settle = world.ledger.settle

    def settled_meanwhile(wave: str, delivery: Delivery, *, now: datetime) -> None:
        other = attrs.evolve(delivery, channel=Channel.EMAIL)
        settle(wave, other, now=now)
        settle(wave, delivery, now=now)

    world.ledger.settle = settled_meanwhile  # type: ignore[method-assign]
    assert world.send(world.schedule(WAVE)).counts["email"] == 1


def test_an_e_mail_stays_an_e_mail_when_its_row_changes() -> None:
    """A fan who was meant to get an e-mail is not texted by a later run that would text."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1, **NO_TEXT)])
    world.ledger.faults.fail_next(RetryLater("throttled"), call="settle")
    with pytest.raises(RetryLater):
        world.send(world.schedule(WAVE))
    world.upload(WAVE, [registrant(1)])
    assert world.send(world.schedule(WAVE, source="again")).counts["email"] == 1
    assert not world.texts()
    assert len(world.emails()) == 1


def test_a_text_that_may_have_gone_is_not_followed_by_an_e_mail() -> None:
    """A fan who opts out of texts after an unknown outcome gets no second message."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    world.sms.faults.fail_next(OutcomeUnknown("no answer"), times=4, answer_lost=True)
    with pytest.raises(RetryLater):
        world.send(world.schedule(WAVE))
    world.upload(WAVE, [registrant(1, **NO_TEXT)])
    report = world.send(world.schedule(WAVE, source="again"))
    assert report.details["failures"] == {"changed": 1}
    assert not world.emails()
