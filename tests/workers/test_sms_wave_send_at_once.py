"""smsWaveSend when two calls send the same wave at the same time."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest

from campaign_workers.domain.errors import Fatal
from campaign_workers.domain.storage.layout import WaveState
from campaign_workers.testing.machines.wave_world import DEAD_ENDING, WaveWorld, registrant
from campaign_workers.workers.sms_wave_send.sender import Limits
from tests.worlds import Meanwhile

WAVE = "tour_nyc"
DAYTIME = {"textingHours": {"start": "09:00", "end": "21:00", "otherwise": "email"}}
ROWS = [
    registrant(1),
    registrant(2, mobileNumber=f"+12125550{DEAD_ENDING}"),
    registrant(3, doNotText="yes"),
    registrant(4),
    registrant(4),
]


def sent_at_once(
    at: int, config: Mapping[str, Any], before: Callable[[WaveWorld], object]
) -> tuple[WaveWorld, int]:
    """The wave after a second call ran, as a whole, just before one port call of the first."""
    world = WaveWorld(limits=Limits(batch_size=2, in_flight=2))
    world.upload(WAVE, ROWS)
    key = world.schedule(WAVE, **config)

    def second() -> None:
        before(world)
        world.send(key)

    def happens() -> None:
        # In a thread of its own, because the first call may be within its event loop.
        world.wrap = lambda port: port
        thread = Thread(target=second)
        thread.start()
        thread.join()

    meanwhile = Meanwhile(at=at, happens=happens)
    world.wrap = meanwhile.wrap
    with suppress(Fatal):
        world.send(key)
    return world, meanwhile.calls


@pytest.mark.parametrize(
    ("config", "before"),
    [
        ({}, lambda world: None),
        ({}, lambda world: world.schedule(WAVE, rate=50)),
        (DAYTIME, lambda world: world.clock.advance(timedelta(hours=10))),
    ],
    ids=["the same config", "a new config", "at night"],
)
def test_two_calls_end_as_one(
    config: Mapping[str, Any], before: Callable[[WaveWorld], object]
) -> None:
    """Everybody hears once, by one channel, and the config lies in completed/ for whoever looks."""
    _, calls = sent_at_once(0, config, before)
    assert calls > 15
    for at in range(1, calls + 1):
        world, _ = sent_at_once(at, config, before)
        texted = [text.message.message_id for text in world.texts()]
        assert len(texted) + len(world.emails()) == 4, at
        assert not {*texted} & {*world.emails()}, at
        assert world.states(WAVE) == [WaveState.COMPLETED], at


BEGINNING = 6
"""Port calls after which a call has moved the config to `triggered/`."""


def interrupted(at: int, second_at: int) -> WaveWorld:
    """A call stops at a port call, a second one begins and stops, then the first one ends."""
    world = WaveWorld(limits=Limits(batch_size=2, in_flight=2))
    world.upload(WAVE, ROWS)
    key = world.schedule(WAVE)
    stopped, go_on = Event(), Event()

    def stop() -> None:
        stopped.set()
        go_on.wait()

    def send(meanwhile: Meanwhile) -> None:
        world.wrap = meanwhile.wrap
        with suppress(Fatal):
            world.send(key)
        stopped.set()

    first = Thread(target=send, args=[Meanwhile(at=at, happens=stop)])

    def first_ends() -> None:
        go_on.set()
        first.join()

    first.start()
    stopped.wait()
    send(Meanwhile(at=second_at, happens=first_ends))
    first_ends()
    return world


@pytest.mark.parametrize("second_at", range(1, BEGINNING + 1))
def test_a_call_that_begins_late_undoes_nothing(second_at: int) -> None:
    """Wherever the first call is when the second begins, the config ends in completed/."""
    _, calls = sent_at_once(0, {}, lambda world: None)
    for at in range(1, calls + 1):
        assert interrupted(at, second_at).states(WAVE) == [WaveState.COMPLETED], at
