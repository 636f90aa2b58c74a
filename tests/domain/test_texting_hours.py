"""Texting hours in the recipient's local time, and waves that do not fit into them."""

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
    """Return hours from one full hour to another."""
    return TextingHours(start=time(start), end=time(end), otherwise=otherwise)


def is_allowed_by_hand(hours: TextingHours, now: datetime, zones: tuple[str, ...]) -> bool:
    """Decide by counting the minutes since the start of the window, in each zone."""

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
    """The start is included, the end is not, and hours may cross midnight."""
    assert hours.allow(now, zones) == is_allowed_by_hand(hours, now, zones)


@given(_hours, _moments, _zones)
def test_hours_open_at_the_first_moment_that_is_allowed(
    hours: TextingHours, now: datetime, zones: tuple[str, ...]
) -> None:
    """No earlier time is found in steps of a quarter of an hour over two days."""
    quarters = (now + 15 * number * MINUTE for number in range(4 * 48))
    expected = next((at for at in quarters if is_allowed_by_hand(hours, at, zones)), None)
    assert hours.next_opening(now, zones) == expected


@given(_hours, _moments, _zones)
def test_hours_close_at_the_first_moment_that_is_not_allowed(
    hours: TextingHours, now: datetime, zones: tuple[str, ...]
) -> None:
    """The closing time is the one found in steps of a quarter of an hour."""
    assume(hours.allow(now, zones))
    quarters = (now + 15 * number * MINUTE for number in range(4 * 48))
    assert hours.next_closing(now, zones) == next(
        at for at in quarters if not is_allowed_by_hand(hours, at, zones)
    )


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_hours_follow_local_clocks(day: date) -> None:
    """On days with 23 or 25 hours the hours start at nine o'clock as well."""
    night = datetime.combine(day, time(0, 30), ZoneInfo(NEW_YORK[0]))
    opening = hours(9, 21).next_opening(night.astimezone(UTC), NEW_YORK)
    assert opening is not None
    assert opening.astimezone(ZoneInfo(NEW_YORK[0])).hour == 9


def test_hours_that_begin_in_the_repeated_hour_begin_twice() -> None:
    """When clocks are set back over the start, the hours open twice."""
    half_past_one = TextingHours(start=time(1, 30), end=time(5), otherwise=OutsideHours.WAIT)
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6))
    assert half_past_one.next_opening(first - MINUTE, NEW_YORK) == first
    assert half_past_one.next_opening(second - 25 * MINUTE, NEW_YORK) == second


def test_an_unknown_time_zone_is_rejected() -> None:
    """The error names the field."""
    for name in ("Mars/Olympus", "../etc", ""):
        with pytest.raises(BadInput, match="expected an IANA time zone name"):
            zone(name)


def test_an_area_code_has_its_zones() -> None:
    """An area code has all of its zones, an unknown one has every zone."""
    assert zones_of_number("+12125550001") == NEW_YORK
    assert zones_of_number("+18505550001") == ("America/Chicago", "America/New_York")
    assert zones_of_number("+18005550001") == EVERYWHERE
    assert {"Pacific/Guam", "America/St_Johns", "Pacific/Honolulu"} < set(EVERYWHERE)


def test_every_zone_of_an_area_code_exists() -> None:
    """The table contains existing time zones only."""
    assert all(zone(name) for name in EVERYWHERE)


def simulate_texts(
    hours: TextingHours, groups: Groups, start: datetime, every: timedelta, first: str
) -> Iterator[tuple[datetime, tuple[str, ...]]]:
    """Return when each text is sent and to which zones, in the order given by `first`."""
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
def test_an_accepted_wave_ends_within_its_hours(
    hours: TextingHours, groups: Groups, start: datetime, every: timedelta, first: str
) -> None:
    """In whatever order its texts are sent, each is sent within its hours."""
    if hours_conflict(hours, groups, start, every) is None:
        for at, zones in simulate_texts(hours, groups, start, every, first):
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
    """A zone whose hours open after the other texts are sent has its own window."""
    morning = NOON - timedelta(hours=3)
    groups: Groups = {NEW_YORK: 60, LOS_ANGELES: 60}
    assert hours_conflict(hours(9, 10), groups, morning, timedelta(minutes=1)) is None
    assert hours_conflict(hours(9, 10), groups | {LOS_ANGELES: 61}, morning, timedelta(minutes=1))


def test_recipients_of_emails_take_no_time() -> None:
    """With `email`, recipients outside the hours need no room."""
    night = NOON - timedelta(hours=10)
    by_email = hours(9, 21, OutsideHours.EMAIL)
    assert hours_conflict(by_email, {NEW_YORK: 10**6}, night, timedelta(minutes=1)) is None


def test_zones_without_a_common_hour_are_rejected_if_the_wave_waits() -> None:
    """Hours that are never open in all zones at once never open."""
    groups: Groups = {(*NEW_YORK, "Pacific/Guam"): 1}
    assert "never within" in str(hours_conflict(hours(9, 10), groups, NOON, timedelta()))
    assert hours_conflict(hours(9, 10, OutsideHours.EMAIL), groups, NOON, timedelta()) is None
