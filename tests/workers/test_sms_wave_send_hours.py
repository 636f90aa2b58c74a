"""smsWaveSend with a rate and texting hours, in the recipient's local time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.adapters.system.deadlines import CountdownDeadline
from campaign_workers.domain.campaigns import Market
from campaign_workers.domain.errors import BadInput, OutcomeUnknown, RetryLater
from campaign_workers.domain.storage.layout import WaveState
from campaign_workers.testing.builders import campaign
from campaign_workers.testing.machines.wave_world import WaveWorld, registrant

WAVE = "tour_nyc"
DAY = {"start": "09:00", "end": "21:00", "otherwise": "wait"}
NEW_YORK, LOS_ANGELES = ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")
NOWHERE = {"marketId": ""}


def build_world_at(at: datetime, *rows: dict[str, str]) -> WaveWorld:
    """Return a world at a time with these rows; nyc is in New York, lax has no zone."""
    world = WaveWorld(clock=SteppedClock(at.astimezone(UTC)))
    world.campaigns.put(
        campaign(
            markets=(
                Market(market_id="nyc", timezone="America/New_York"),
                Market(market_id="lax"),
                Market(market_id="odd", timezone="Mars/Olympus"),
            )
        )
    )
    world.upload(WAVE, rows)
    return world


def when(world: WaveWorld, zone: ZoneInfo) -> list[str]:
    """Return the local times of the texts."""
    return [f"{text.accepted.astimezone(zone):%d %H:%M}" for text in world.texts()]


@given(
    rate=st.sampled_from((0.5, 1, 2, 2.5, 7, 30)),
    texts=st.integers(1, 60),
    seconds=st.sampled_from((70.0, 75.0, 1e6)),
    lost=st.integers(0, 3),
)
def test_no_second_of_a_wave_has_more_texts_than_its_rate(
    rate: float, texts: int, seconds: float, lost: int
) -> None:
    """Every window of one second has at most `rate` texts, including retries and later calls."""
    world = WaveWorld()
    asked: list[datetime] = []
    send = world.sms.send

    class Timed:
        async def send(self, message: Any) -> None:
            asked.append(world.clock.now())
            await send(message)

    world.wrap = lambda port: Timed() if port is world.sms else port
    world.sms.faults.fail_next(OutcomeUnknown("no answer"), times=lost, answer_lost=True)
    world.upload(WAVE, [registrant(number) for number in range(texts)])
    reports = world.send_to_the_end(world.schedule(WAVE, rate=rate), seconds=seconds)
    assert reports[-1].counts["sms"] == texts
    for first, start in enumerate(asked):
        window = [at for at in asked[first:] if at < start + timedelta(seconds=1)]
        assert len(window) <= max(rate, 1)


def test_a_rate_is_used_to_the_full() -> None:
    """A wave takes as long as its rate requires, and one second more."""
    world = WaveWorld()
    start = world.clock.now()
    world.upload(WAVE, [registrant(number) for number in range(300)])
    world.send(world.schedule(WAVE, rate=100))
    assert (world.clock.now() - start).total_seconds() == pytest.approx(1 + 299 / 100)


def test_a_call_ends_when_the_next_slot_is_too_late() -> None:
    """A call ends if the next text is due after its deadline."""
    world = WaveWorld()
    start = world.clock.now()
    world.upload(WAVE, [registrant(1), registrant(2)])
    deadline = CountdownDeadline(world.clock, start + timedelta(seconds=210))
    report = world.send(world.schedule(WAVE, rate=0.01), deadline=deadline)
    assert report.details["cursor"]["position"] == 1
    assert world.clock.now() - start == timedelta(seconds=100)


def test_a_text_waits_for_the_morning_of_its_market() -> None:
    """With `wait`, a fan of a market in New York is texted when hours open there."""
    night = datetime(2026, 11, 20, 3, tzinfo=NEW_YORK)
    world = build_world_at(night, registrant(1, mobileNumber="+13105550001"))
    assert world.send(world.schedule(WAVE, textingHours=DAY)).counts["sms"] == 1
    assert when(world, NEW_YORK) == ["20 09:00"]


def test_an_area_code_gives_the_zones() -> None:
    """Without a time zone of the market, those of the number's area code count."""
    morning = datetime(2026, 11, 20, 9, 30, tzinfo=NEW_YORK)
    rows = [
        registrant(1, mobileNumber="+13105550001", marketId="lax"),
        registrant(2, mobileNumber="+12125550002", marketId="lax"),
        registrant(3, mobileNumber="+18505550003", **NOWHERE),
    ]
    world = build_world_at(morning, *rows)
    world.send(world.schedule(WAVE, textingHours=DAY))
    assert when(world, NEW_YORK) == ["20 09:30", "20 10:00", "20 12:00"]


def test_all_zones_of_a_number_must_allow_a_text() -> None:
    """A number of an area code in two zones is texted when hours are open in both."""
    evening = datetime(2026, 11, 20, 21, 30, tzinfo=NEW_YORK)
    world = build_world_at(evening, registrant(1, mobileNumber="+18505550001", **NOWHERE))
    world.send(world.schedule(WAVE, textingHours=DAY))
    assert when(world, NEW_YORK) == ["21 10:00"]


def test_outside_the_hours_a_fan_gets_an_email_if_configured() -> None:
    """With `email`, fans outside the hours get an e-mail, or wait without an address."""
    morning = datetime(2026, 11, 20, 9, 30, tzinfo=NEW_YORK)
    west = {"mobileNumber": "+13105550001", "marketId": "lax"}
    world = build_world_at(
        morning, registrant(1), registrant(2, **west), registrant(3, **west, email="")
    )
    hours = DAY | {"otherwise": "email"}
    report = world.send(world.schedule(WAVE, textingHours=hours))
    assert (report.counts["sms"], report.counts["email"]) == (2, 1)
    assert [body["globalUserId"] for body in world.emails().values()] == ["g2"]
    assert when(world, LOS_ANGELES) == ["20 06:30", "20 09:00"]


def test_hours_may_cross_midnight() -> None:
    """Hours with an end before their start cross midnight."""
    noon = datetime(2026, 11, 20, 12, tzinfo=NEW_YORK)
    world = build_world_at(noon, registrant(1))
    world.send(world.schedule(WAVE, textingHours=DAY | {"start": "22:00", "end": "02:00"}))
    assert when(world, NEW_YORK) == ["20 22:00"]


def test_a_late_wave_waits_for_the_next_morning() -> None:
    """Texts delayed by a crash are not sent outside the hours."""
    evening = datetime(2026, 11, 20, 20, 59, tzinfo=NEW_YORK)
    world = build_world_at(evening, registrant(1), registrant(2))
    world.sms.faults.fail_next(RetryLater("busy"), times=8)
    key = world.schedule(WAVE, textingHours=DAY | {"otherwise": "email"})
    with pytest.raises(RetryLater):
        world.send(key)
    world.clock.advance(timedelta(minutes=5))
    assert world.send(key).counts["sms"] == 2
    assert when(world, NEW_YORK) == ["21 09:00"] * 2
    assert not world.emails()


@pytest.mark.parametrize("otherwise", ["wait", "email"])
def test_a_wave_that_cannot_end_within_its_hours_is_rejected(otherwise: str) -> None:
    """Too many texts for the rate and the hours fail the wave before the first one."""
    evening = datetime(2026, 11, 20, 20, 59, 30, tzinfo=NEW_YORK)
    world = build_world_at(evening, *(registrant(number) for number in range(61)))
    key = world.schedule(WAVE, rate=2, textingHours=DAY | {"otherwise": otherwise})
    with pytest.raises(BadInput, match="textingHours: at its rate the wave cannot end within"):
        world.send(key)
    assert world.states(WAVE) == [WaveState.FAILED]
    assert not world.texts()
    assert not world.emails()


def test_recipients_who_are_never_within_the_hours_are_rejected() -> None:
    """Hours that never open in all zones of a number fail a wave that waits."""
    world = build_world_at(
        datetime(2026, 11, 20, 12, tzinfo=NEW_YORK),
        registrant(1, mobileNumber="+18005550001", **NOWHERE),
    )
    short = DAY | {"end": "10:00"}
    with pytest.raises(BadInput, match="never within the hours"):
        world.send(world.schedule(WAVE, textingHours=short))
    world.upload(WAVE, [registrant(1, mobileNumber="+18005550001", email="", **NOWHERE)])
    report = world.send(world.schedule(WAVE, textingHours=short | {"otherwise": "email"}))
    assert report.details["failures"] == {"noChannel": 1}


def test_a_market_with_an_unknown_time_zone_is_rejected() -> None:
    """An unknown time zone of a market fails the wave."""
    world = build_world_at(
        datetime(2026, 11, 20, 12, tzinfo=NEW_YORK), registrant(1, marketId="odd")
    )
    with pytest.raises(BadInput, match="timezone: expected an IANA time zone name"):
        world.send(world.schedule(WAVE, textingHours=DAY))


def test_a_call_does_not_sleep_through_the_night() -> None:
    """A wait longer than the call ends it, with the time at which to continue."""
    night = datetime(2026, 11, 20, 3, tzinfo=NEW_YORK)
    west = registrant(2, mobileNumber="+13105550001", marketId="lax")
    world = build_world_at(night, registrant(1), west)
    key = world.schedule(WAVE, textingHours=DAY)
    reports = world.send_to_the_end(key, seconds=900)
    assert [report.details.get("waitUntil") for report in reports] == [
        "2026-11-20T14:00:00Z",
        "2026-11-20T17:00:00Z",
        None,
    ]
    assert reports[-1].counts["sms"] == 2
    assert when(world, NEW_YORK) == ["20 09:00", "20 12:00"]
