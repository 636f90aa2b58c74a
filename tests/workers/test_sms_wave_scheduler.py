"""smsWaveScheduler: due waves start once, and an invalid config stops no other."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.storage.layout import WaveState, wave_config_key
from campaign_workers.ports.object_store import ObjectInfo
from campaign_workers.ports.workflow import Execution
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from campaign_workers.testing.machines.wave_world import NOW, WaveWorld, config
from campaign_workers.workers.sms_wave_scheduler import SmsWaveScheduler

LATER = iso_utc(NOW + timedelta(hours=1))


def key_of(wave: str) -> str:
    """Return the key of a scheduled config."""
    return wave_config_key(wave, WaveState.SCHEDULED)


def test_a_ready_wave_starts_one_execution() -> None:
    """The state machine gets the key of a config whose notifyDate has come."""
    world = WaveWorld()
    world.schedule("early")
    world.schedule("late", notifyDate=LATER)
    report = world.tick()
    assert report.details == {"configKeys": [key_of("early")], "unreadable": [], "stuck": []}
    [(name, payload, started)] = world.workflow.executions()
    assert name.startswith("early-")
    assert (payload["configKey"], started) == (key_of("early"), NOW)
    assert report.counts == {"in": 1, "out": 1, "rejected": 0, "duplicates": 0, "waiting": 1}


def test_a_wave_is_ready_at_its_notify_date() -> None:
    """A wave is ready from the moment of notifyDate on."""
    world = WaveWorld()
    world.schedule("wave", notifyDate=LATER)
    world.clock.advance(timedelta(hours=1) - timedelta(microseconds=1))
    assert world.tick().counts["waiting"] == 1
    world.clock.advance(timedelta(microseconds=1))
    assert world.tick().counts["out"] == 1


def test_a_second_tick_starts_nothing() -> None:
    """A config that is still in scheduled/ is reported again and not started again."""
    world = WaveWorld()
    world.schedule("wave")
    world.tick()
    report = world.tick()
    assert report.details["configKeys"] == [key_of("wave")]
    assert report.counts["duplicates"] == 1
    assert len(world.workflow.executions()) == 1


def test_a_repaired_config_starts_again() -> None:
    """Other content gives another execution of the same wave."""
    world = WaveWorld()
    world.schedule("wave")
    world.tick()
    world.schedule("wave", totalLimit=7)
    assert world.tick().counts["out"] == 1
    names = [name for name, _, _ in world.workflow.executions()]
    assert len(set(names)) == 2
    assert all(name.startswith("wave-") for name in names)


def test_a_config_that_does_not_move_is_reported() -> None:
    """Fifteen minutes after its execution started, a config in scheduled/ is stuck."""
    world = WaveWorld()
    world.schedule("wave")
    assert world.tick().details["stuck"] == []
    world.clock.advance(timedelta(minutes=14))
    assert world.tick().details["stuck"] == []
    world.clock.advance(timedelta(minutes=1))
    assert world.tick().details["stuck"] == [key_of("wave")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "expected JSON"),
        (b"\xff", "expected JSON"),
        (b"[]", "expected a JSON object"),
        (b"[" * 100_000, "expected JSON"),
        (b" " * (256 * 1024 + 1), "more than 262144 bytes"),
        (json.dumps(config(notifyDate="tomorrow")).encode(), "notifyDate: expected an ISO-8601"),
        (
            json.dumps(config(notifyDate="2026-11-20")).encode(),
            "notifyDate: expected a date and",
        ),
    ],
)
def test_an_invalid_config_stops_no_other(content: bytes, reason: str) -> None:
    """An invalid config is reported with its reason; the others start."""
    world = WaveWorld()
    world.schedule("a")
    world.store.put(key_of("b"), content)
    world.schedule("c")
    report = world.tick()
    assert report.details["configKeys"] == [key_of("a"), key_of("c")]
    [unreadable] = report.details["unreadable"]
    assert unreadable["key"] == key_of("b")
    assert reason in unreadable["reason"]
    assert not report.imbalances


def test_a_key_that_is_no_config_is_reported() -> None:
    """Keys of another form are rejected, except folders."""
    world = WaveWorld()
    world.store.put("smsWaves/scheduled/notes.txt", b"")
    world.schedule("wave")
    report = world.tick()
    assert [found["key"] for found in report.details["unreadable"]] == [
        "smsWaves/scheduled/notes.txt"
    ]
    assert report.counts["out"] == 1


def test_a_start_that_fails_stops_no_other() -> None:
    """If a start fails, the other waves start and the tick fails."""
    world = WaveWorld()

    class FlakyWorkflow:
        def start(self, name: str, payload: Mapping[str, Any]) -> Execution:
            if name.startswith("b-"):
                raise RetryLater("throttled")
            return world.workflow.start(name, payload)

    for wave in "abc":
        world.schedule(wave)
    worker = SmsWaveScheduler(scoring=world.store, workflow=FlakyWorkflow(), clock=world.clock)
    with pytest.raises(RetryLater, match=key_of("b")):
        worker(Tick())
    assert len(world.workflow.executions()) == 2
    assert world.tick().counts == {"in": 3, "out": 1, "rejected": 0, "duplicates": 2, "waiting": 0}


def test_a_config_that_moves_away_is_no_error() -> None:
    """A config that was moved or replaced after the listing is left to the next tick."""
    world = WaveWorld()
    world.schedule("a")
    world.schedule("b")
    world.schedule("c")
    listed = list(world.store.list("smsWaves/scheduled/"))
    listed.append(attrs.evolve(listed[0], key="smsWaves/scheduled/"))

    class StaleListing:
        """A bucket whose listing is outdated."""

        def list(self, prefix: str) -> Iterator[ObjectInfo]:
            return iter(listed)

        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

    world.wrap = lambda port: StaleListing() if port is world.store else port
    world.store.delete([key_of("a")])
    world.schedule("b", totalLimit=7)
    assert world.tick().details["configKeys"] == [key_of("c")]


def test_a_killed_tick_is_finished_by_the_next() -> None:
    """Killed at any call, the next tick leads to the same executions."""

    def build(wrap: Callable[[Any], Any]) -> CrashCase:
        world = WaveWorld(wrap)
        for wave in "abc":
            world.schedule(wave)
        return CrashCase(run=world.tick, snapshot=world.snapshot)

    assert assert_survives_every_kill(build) == 14


@given(waves=st.dictionaries(st.sampled_from("abcdef"), st.booleans()))
def test_every_ready_wave_starts_among_invalid_ones(waves: dict[str, bool]) -> None:
    """Of any mix of valid and invalid configs, each valid one starts once in two ticks."""
    world = WaveWorld()
    for wave, is_good in waves.items():
        world.schedule(wave, totalLimit=1 if is_good else "many")
    world.tick()
    report = world.tick()
    good = sorted(key_of(wave) for wave, is_good in waves.items() if is_good)
    assert report.details["configKeys"] == good
    assert len(world.workflow.executions()) == len(good)
    assert not report.imbalances
