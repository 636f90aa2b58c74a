"""smsWaveSend when a wave cannot be sent: rejected, repaired, given up."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from campaign_workers.adapters.system.deadlines import CountdownDeadline
from campaign_workers.domain.errors import (
    BadInput,
    Conflict,
    NotFound,
    OutcomeUnknown,
    PermanentFailure,
    RetryLater,
)
from campaign_workers.domain.storage.layout import WaveState, wave_config_key, wave_file_key
from campaign_workers.ports.sms_service import TextMessage
from campaign_workers.testing.machines.wave_world import (
    DEAD_ENDING,
    NOW,
    WaveWorld,
    config,
    registrant,
)
from campaign_workers.workers.sms_wave_send.sender import Limits

WAVE = "tour_nyc"
DEAD = {"mobileNumber": f"+12125550{DEAD_ENDING}"}
MIXED = [
    registrant(1),
    registrant(2, doNotText="yes"),
    registrant(3, **DEAD),
    registrant(4, **DEAD, email=""),
    registrant(5, code=""),
    registrant(1),
    registrant(6),
]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"notifyDate": "soon"}, "notifyDate: expected an ISO-8601 date"),
        ({"totalLimit": -1}, "totalLimit: expected an integer from 0"),
        ({"rate": "fast"}, "rate: expected texts per second"),
        ({"textingHours": {"start": "9"}}, "textingHours.start: expected a time"),
        ({"categoryId": None}, "categoryId: missing"),
    ],
)
def test_an_invalid_config_fails_the_wave(fields: dict[str, Any], problem: str) -> None:
    """The config moves to failed/ with file, field and reason, and triggers nothing."""
    world = WaveWorld()
    written: list[str] = []
    world.store.on_created(lambda info: written.append(info.key))
    world.upload(WAVE, [registrant(1)])
    key = world.schedule(WAVE, **fields)
    with pytest.raises(BadInput, match=f"{key}, {problem}"):
        world.send(key)
    assert wave_config_key(WAVE, WaveState.TRIGGERED) not in written
    failed = json.loads(world.store.open(wave_config_key(WAVE, WaveState.FAILED)).read())
    assert problem in failed["lastFailure"]
    with pytest.raises(Conflict, match="fix it and schedule it again"):
        world.send(key)


def test_a_config_that_is_not_json_is_moved_unchanged() -> None:
    """It moves to failed/ as it is."""
    world = WaveWorld()
    key = wave_config_key(WAVE, WaveState.SCHEDULED)
    world.store.put(key, b"[1")
    with pytest.raises(BadInput, match="expected JSON"):
        world.send(key)
    assert world.store.open(wave_config_key(WAVE, WaveState.FAILED)).read() == b"[1"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, NotFound),
        (b"", BadInput),
        (b"email,code\na@b.c,C1\n", BadInput),
        (b"doNotText,email,firstName,lastName,globalUserId,mobileNumber\n,a,b\n", BadInput),
    ],
    ids=["missing", "empty", "columns", "ragged"],
)
def test_an_invalid_wave_file_fails_the_wave(content: bytes | None, error: type[Exception]) -> None:
    """A missing or invalid wave file fails before the first text."""
    world = WaveWorld()
    if content is not None:
        world.store.put(wave_file_key(WAVE), content)
    key = world.schedule(WAVE)
    with pytest.raises(error, match=wave_file_key(WAVE)):
        world.send(key)
    assert world.states(WAVE) == [WaveState.FAILED]


def test_a_repaired_wave_starts_again() -> None:
    """A config that is scheduled after a failure is sent, and the failed copy is deleted."""
    world = WaveWorld()
    with pytest.raises(NotFound):
        world.send(world.schedule(WAVE))
    world.upload(WAVE, [registrant(1)])
    assert world.send(world.schedule(WAVE, source="repaired")).counts["sms"] == 1
    assert world.states(WAVE) == [WaveState.COMPLETED]


def test_a_newer_config_is_not_lost() -> None:
    """A config that is scheduled while an older one is being moved stays scheduled."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    newer = json.dumps(config(source="newer")).encode()

    def replace(info: Any) -> None:
        if info.key == wave_config_key(WAVE, WaveState.TRIGGERED):
            world.store.put(wave_config_key(WAVE, WaveState.SCHEDULED), newer)

    world.store.on_created(replace)
    world.send(world.schedule(WAVE))
    assert world.states(WAVE) == [WaveState.SCHEDULED, WaveState.COMPLETED]


def test_giving_up_alerts_the_campaigns_channels() -> None:
    """The config moves to failed/, and the counts come from the ledger."""
    world = WaveWorld(limits=Limits(in_flight=1))
    world.upload("a<b", MIXED)
    key = world.schedule("a<b")
    world.sms.faults.fail_next(OutcomeUnknown("no answer"), times=4)
    with pytest.raises(RetryLater):
        world.send(key)
    report = world.send(key, giveUp=True)
    assert not report.imbalances
    assert (report.counts["total"], report.counts["unsettled"]) == (6, 1)
    assert world.states("a<b") == [WaveState.FAILED]
    [post] = world.chat.posts("#tour")
    assert "a&lt;b" in post.text
    assert "3 notified, 2 failed, 1 without an outcome" in post.text
    assert report.details["alerted"] == ["#tour"]


def test_giving_up_again_alerts_again() -> None:
    """A wave that is in failed/ already keeps its reason."""
    world = WaveWorld()
    key = world.schedule(WAVE)
    with pytest.raises(NotFound):
        world.send(key)
    for _ in range(2):
        assert world.send(key, giveUp=True).details["gaveUp"]
    assert [wave_file_key(WAVE) in post.text for post in world.chat.posts()] == [True, True]


def test_a_completed_wave_is_not_given_up() -> None:
    """Giving up after the wave was completed moves nothing and alerts no channel."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    key = world.schedule(WAVE)
    first = world.send(key)
    assert world.send(key, giveUp=True) == first
    assert not list(world.chat.posts())


def test_giving_up_claims_nothing() -> None:
    """The counts are read from the ledger without changing it."""
    world = WaveWorld()
    world.upload(WAVE, MIXED)
    report = world.send(world.schedule(WAVE), giveUp=True)
    assert report.counts["unsettled"] == 5
    assert not list(world.tables("deliveries").scan())


@pytest.mark.parametrize("document", [b"{", b"[]", b'{"campaignId": "other"}'])
def test_a_config_without_a_campaign_alerts_no_channel(document: bytes) -> None:
    """A wave with an invalid config can be given up."""
    world = WaveWorld()
    world.store.put(wave_config_key(WAVE, WaveState.TRIGGERED), document)
    report = world.send(wave_config_key(WAVE, WaveState.SCHEDULED), giveUp=True)
    assert report.details["alerted"] == []
    assert world.states(WAVE) == [WaveState.FAILED]


def test_a_channel_that_does_not_exist_stops_nothing() -> None:
    """A refused alert is skipped, and an unknown campaign has no channel."""
    world = WaveWorld()
    world.chat.faults.fail_next(PermanentFailure("no such channel"))
    assert world.send(world.schedule(WAVE), giveUp=True).details["alerted"] == []
    world.schedule("other", campaignId="unknown")
    key = wave_config_key("other", WaveState.SCHEDULED)
    assert world.send(key, giveUp=True).details["alerted"] == []


def test_giving_up_an_unknown_wave_is_an_error() -> None:
    """A key without a config in any state cannot be given up."""
    with pytest.raises(NotFound):
        WaveWorld().send(wave_config_key(WAVE, WaveState.SCHEDULED), giveUp=True)


def test_an_old_execution_leaves_a_newer_version_alone() -> None:
    """An execution sends, fails and gives up its own version of a config only."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    world.schedule(WAVE)
    world.tick()
    key = world.schedule(WAVE, source="newer")
    world.tick()
    [old, new] = [payload["version"] for _, payload, _ in world.workflow.executions()]
    with pytest.raises(Conflict, match="another version of its config"):
        world.send(key, version=old)
    assert not world.send(key, version=old, giveUp=True).details.get("gaveUp")
    assert world.states(WAVE) == [WaveState.SCHEDULED]
    assert world.send(key, version=new).counts["sms"] == 1
    assert not list(world.chat.posts())


def test_a_replaced_version_is_not_completed() -> None:
    """Another version in triggered/ is left to its own execution."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    triggered = wave_config_key(WAVE, WaveState.TRIGGERED)
    newer = json.dumps(config(source="newer")).encode()
    first = world.schedule(WAVE)

    class ReplacingSmsService:
        """A text service during whose work the config is replaced."""

        async def send(self, message: TextMessage) -> None:
            world.store.put(triggered, newer)
            await world.sms.send(message)

    world.wrap = lambda port: ReplacingSmsService() if port is world.sms else port
    with pytest.raises(Conflict, match="another version of its config"):
        world.send(first)
    assert world.states(WAVE) == [WaveState.TRIGGERED]
    assert world.store.open(triggered).read() == newer


def test_a_wave_that_another_call_completed_is_complete() -> None:
    """Two calls for one version have the same result."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    key = world.schedule(WAVE)
    elsewhere: list[int] = []

    class OvertakingSmsService:
        """A text service during whose work another call sends the whole wave."""

        async def send(self, message: TextMessage) -> None:
            world.wrap = lambda port: port
            await asyncio.to_thread(lambda: elsewhere.append(world.send(key).counts["sms"]))

    world.wrap = lambda port: OvertakingSmsService() if port is world.sms else port
    assert world.send(key).counts["sms"] == 1
    assert elsewhere == [1]
    assert len(world.texts()) == 1
    assert world.states(WAVE) == [WaveState.COMPLETED]


def test_a_config_that_a_killed_call_moved_is_not_written_again() -> None:
    """A config in triggered/ is left as it is, so it starts no worker again."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    key = world.schedule(WAVE)
    world.store.copy(key, wave_config_key(WAVE, WaveState.TRIGGERED))
    written: list[str] = []
    world.store.on_created(lambda info: written.append(info.key))
    world.send(key)
    assert written == [wave_config_key(WAVE, WaveState.COMPLETED)]


def test_a_call_without_progress_fails() -> None:
    """A call that can do nothing fails instead of returning a cursor."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    deadline = CountdownDeadline(world.clock, NOW + timedelta(seconds=59))
    with pytest.raises(RetryLater):
        world.send(world.schedule(WAVE), deadline=deadline)
    assert not world.texts()
