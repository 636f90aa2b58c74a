"""Texting hours in the recipient's time, and waves that do not fit into them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.waves.texting_hours import (
    EVERYWHERE,
    OutsideHours,
    TextingHours,
    hours_conflict,
    zone,
    zones_of_number,
)

MINUTE = timedelta(minutes=1)
NEW_YORK, LOS_ANGELES = ("America/New_York",), ("America/Los_Angeles",)
Groups = dict[tuple[str, ...], int]

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)

_zones = st.lists(
    st.sampled_from(
        ("America/New_York", "America/Los_Angeles", "America/St_Johns", "Pacific/Guam", "UTC")
    ),
    min_size=1,
    max_size=3,
    unique=True,
).map(tuple)
_waves = st.tuples(
    st.sampled_from(((NEW_YORK, LOS_ANGELES), (NEW_YORK,), (LOS_ANGELES,))),
    st.integers(2, 40),
    st.integers(2, 40),
).map(lambda drawn: dict(zip(drawn[0], drawn[1:], strict=False)))
_spacings = st.sampled_from((1, 5, 10, 30, 0)).map(lambda minutes: timedelta(minutes=minutes))
# Whole quarters outside the hour that clocks skip, so that the oracle may look at quarters alone.
_quarters = st.builds(time, st.sampled_from((0, 5, 8, 9, 12, 20, 21, 23)), st.sampled_from((0, 30)))
_moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0, tzinfo=UTC)
)
_hours = st.builds(
    TextingHours, start=_quarters, end=_quarters, otherwise=st.sampled_from(OutsideHours)
).filter(lambda hours: hours.start != hours.end)


def hours(start: int, end: int, otherwise: OutsideHours = OutsideHours.WAIT) -> TextingHours:
    """Hours from one full hour to another."""
    return TextingHours(start=time(start), end=time(end), otherwise=otherwise)


def slowly_allowed(hours: TextingHours, now: datetime, zones: tuple[str, ...]) -> bool:
    """Count the minutes since the start of the window, in each zone."""

    def minutes(at: time) -> int:
        return at.hour * 60 + at.minute

    length = (minutes(hours.end) - minutes(hours.start)) % 1440
    return all(
        (minutes(now.astimezone(ZoneInfo(name)).time()) - minutes(hours.start)) % 1440 < length
        for name in zones
    )


@given(_hours, _moments, _zones)
def test_a_text_is_allowed_when_every_zone_allows_it(
    hours: TextingHours, now: datetime, zones: tuple[str, ...]
) -> None:
    """The start belongs to the hours, the end does not, and midnight is no border."""
    assert hours.allow(now, zones) == slowly_allowed(hours, now, zones)


@given(_hours, _moments, _zones)
def test_hours_open_at_the_first_moment_that_is_allowed(
    hours: TextingHours, now: datetime, zones: tuple[str, ...]
) -> None:
    """Looking at every quarter of an hour of two days finds no earlier moment, nor any other."""
    quarters = (now + 15 * number * MINUTE for number in range(4 * 48))
    expected = next((at for at in quarters if slowly_allowed(hours, at, zones)), None)
    assert hours.next_opening(now, zones) == expected


@given(_hours, _moments, _zones)
def test_hours_close_at_the_first_moment_that_is_not_allowed(
    hours: TextingHours, now: datetime, zones: tuple[str, ...]
) -> None:
    """Once they are open, looking at every quarter of an hour finds the moment of closing."""
    assume(hours.allow(now, zones))
    quarters = (now + 15 * number * MINUTE for number in range(4 * 48))
    assert hours.next_closing(now, zones) == next(
        at for at in quarters if not slowly_allowed(hours, at, zones)
    )


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_hours_are_those_of_the_clock_on_the_wall(day: date) -> None:
    """On days with 23 or 25 hours they begin at nine o'clock all the same."""
    night = datetime.combine(day, time(0, 30), ZoneInfo(NEW_YORK[0]))
    opening = hours(9, 21).next_opening(night.astimezone(UTC), NEW_YORK)
    assert opening is not None
    assert opening.astimezone(ZoneInfo(NEW_YORK[0])).hour == 9


def test_hours_that_begin_in_the_repeated_hour_begin_twice() -> None:
    """When clocks go back over the start, the hours end with the first pass and begin again."""
    half_past_one = TextingHours(start=time(1, 30), end=time(5), otherwise=OutsideHours.WAIT)
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6))
    assert half_past_one.next_opening(first - MINUTE, NEW_YORK) == first
    assert half_past_one.next_opening(second - 25 * MINUTE, NEW_YORK) == second


def test_a_zone_that_does_not_exist_is_refused() -> None:
    """A name that no time zone has says so."""
    for name in ("Mars/Olympus", "../etc", ""):
        with pytest.raises(BadInput, match="expected an IANA time zone name"):
            zone(name)


def test_an_area_code_tells_its_zones() -> None:
    """A code of one zone has that one, one of several has them all, an unknown one everything."""
    assert zones_of_number("+12125550001") == NEW_YORK
    assert zones_of_number("+18505550001") == ("America/Chicago", "America/New_York")
    assert zones_of_number("+18005550001") == EVERYWHERE
    assert {"Pacific/Guam", "America/St_Johns", "Pacific/Honolulu"} < set(EVERYWHERE)


def test_every_zone_of_an_area_code_exists() -> None:
    """The table names zones that there are."""
    assert all(zone(name) for name in EVERYWHERE)


def one_by_one(
    hours: TextingHours, groups: Groups, start: datetime, every: timedelta, first: str
) -> Iterator[tuple[datetime, tuple[str, ...]]]:
    """When each text goes and to which zones, if those whose hours have begun go by `first`."""
    found = {zones: hours.next_opening(start, zones) for zones in groups}
    begins = {zones: at for zones, at in found.items() if at is not None}
    left = {zones: count for zones, count in groups.items() if zones in begins}
    if hours.otherwise is OutsideHours.EMAIL:
        left = {zones: count for zones, count in left.items() if begins[zones] == start}
    now = start
    while left:
        ready = [zones for zones in left if begins[zones] <= now]
        if not ready:
            now = min(begins[zones] for zones in left)
            continue
        zones = min(ready, key=lambda zones: zones[0] != first)
        yield now, zones
        now += every
        left = {zones: n for zones, n in (left | {zones: left[zones] - 1}).items() if n}


@given(
    _hours,
    _waves,
    _moments,
    _spacings,
    st.sampled_from((*NEW_YORK, *LOS_ANGELES)),
)
@example(hours(9, 21), {NEW_YORK: 18}, NOON, timedelta(minutes=30), NEW_YORK[0])
def test_a_wave_that_is_let_go_ends_inside_its_hours(
    hours: TextingHours, groups: Groups, start: datetime, every: timedelta, first: str
) -> None:
    """What is not refused can be sent one by one, in whatever order, each inside its hours."""
    if hours_conflict(hours, groups, start, every) is None:
        for at, zones in one_by_one(hours, groups, start, every, first):
            assert hours.allow(at, zones)


@pytest.mark.parametrize(
    ("texts", "minutes", "fits"), [(540, 1, True), (541, 1, False), (0, 1, True), (10**6, 0, True)]
)
def test_one_zone_fits_exactly_as_long_as_its_hours_last(
    texts: int, minutes: int, fits: bool
) -> None:
    """From noon to nine there is room for 540 texts at one a minute, and not for one more."""
    problem = hours_conflict(hours(9, 21), {NEW_YORK: texts}, NOON, timedelta(minutes=minutes))
    assert (problem is None) == fits


def test_a_wave_that_waits_has_the_whole_window() -> None:
    """At night the window of the next day counts."""
    night = NOON - timedelta(hours=10)
    every = timedelta(minutes=1)
    assert hours_conflict(hours(9, 21), {NEW_YORK: 720}, night, every) is None
    assert hours_conflict(hours(9, 21), {NEW_YORK: 721}, night, every)


def test_each_part_of_a_wave_has_its_own_window() -> None:
    """Whoever's hours begin when the others are done is measured by these hours alone."""
    morning = NOON - timedelta(hours=3)
    groups: Groups = {NEW_YORK: 60, LOS_ANGELES: 60}
    assert hours_conflict(hours(9, 10), groups, morning, timedelta(minutes=1)) is None
    assert hours_conflict(hours(9, 10), groups | {LOS_ANGELES: 61}, morning, timedelta(minutes=1))


def test_whoever_gets_an_e_mail_instead_takes_no_time() -> None:
    """With `email`, those outside the hours when the wave is over need no room."""
    night = NOON - timedelta(hours=10)
    by_email = hours(9, 21, OutsideHours.EMAIL)
    assert hours_conflict(by_email, {NEW_YORK: 10**6}, night, timedelta(minutes=1)) is None


def test_zones_that_share_no_hour_are_refused_if_the_wave_would_wait() -> None:
    """Hours that are never in all zones at once never open."""
    groups: Groups = {(*NEW_YORK, "Pacific/Guam"): 1}
    assert "never within" in str(hours_conflict(hours(9, 10), groups, NOON, timedelta()))
    assert hours_conflict(hours(9, 10, OutsideHours.EMAIL), groups, NOON, timedelta()) is None
