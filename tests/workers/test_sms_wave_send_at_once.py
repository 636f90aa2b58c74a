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
from tests.worlds import ConcurrentAction

WAVE = "tour_nyc"
DAYTIME = {"textingHours": {"start": "09:00", "end": "21:00", "otherwise": "email"}}
ROWS = [
    registrant(1),
    registrant(2, mobileNumber=f"+12125550{DEAD_ENDING}"),
    registrant(3, doNotText="yes"),
    registrant(4),
    registrant(4),
]


def send_concurrently(
    at: int, config: Mapping[str, Any], before: Callable[[WaveWorld], object]
) -> tuple[WaveWorld, int]:
    """Send a wave while a second call runs just before one port call of the first."""
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

    meanwhile = ConcurrentAction(at=at, happens=happens)
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
    """Each registrant is notified once by one channel, and the config is in completed/."""
    _, calls = send_concurrently(0, config, before)
    assert calls > 15
    for at in range(1, calls + 1):
        world, _ = send_concurrently(at, config, before)
        texted = [text.message.message_id for text in world.texts()]
        assert len(texted) + len(world.emails()) == 4, at
        assert not {*texted} & {*world.emails()}, at
        assert world.states(WAVE) == [WaveState.COMPLETED], at


BEGINNING = 6
"""Port calls after which a call has moved the config to `triggered/`."""


def send_interleaved(at: int, second_at: int) -> WaveWorld:
    """Stop a call at a port call, start and stop a second one, then finish the first."""
    world = WaveWorld(limits=Limits(batch_size=2, in_flight=2))
    world.upload(WAVE, ROWS)
    key = world.schedule(WAVE)
    stopped, go_on = Event(), Event()

    def stop() -> None:
        stopped.set()
        go_on.wait()

    def send(meanwhile: ConcurrentAction) -> None:
        world.wrap = meanwhile.wrap
        with suppress(Fatal):
            world.send(key)
        stopped.set()

    first = Thread(target=send, args=[ConcurrentAction(at=at, happens=stop)])

    def first_ends() -> None:
        go_on.set()
        first.join()

    first.start()
    stopped.wait()
    send(ConcurrentAction(at=second_at, happens=first_ends))
    first_ends()
    return world


@pytest.mark.parametrize("second_at", range(1, BEGINNING + 1))
def test_a_late_call_undoes_nothing(second_at: int) -> None:
    """Wherever the first call is when the second starts, the config ends in completed/."""
    _, calls = send_concurrently(0, {}, lambda world: None)
    for at in range(1, calls + 1):
        assert send_interleaved(at, second_at).states(WAVE) == [WaveState.COMPLETED], at
