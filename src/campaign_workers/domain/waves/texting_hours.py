"""When texts may arrive, in the recipient's time.

A recipient is in one of several zones, all of which must allow a text. A recipient who is never
awake in all of them at once can never be texted.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import attrs

from campaign_workers.domain.errors import BadInput

Zones = tuple[str, ...]
"""IANA names of the zones in which a recipient may be, at least one."""

_DAYS_AHEAD: Final = 3
"""Hours come back every day; the two days more cover zones a day apart and the date line."""

_LONGER_THAN_A_DAY: Final = timedelta(days=2)

_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


class Otherwise(StrEnum):
    """What becomes of a text outside the hours."""

    EMAIL = "email"
    WAIT = "wait"


@attrs.frozen(kw_only=True)
class TextingHours:
    """From `start` until before `end`, every day; a window with `end` first crosses midnight."""

    start: time
    end: time
    otherwise: Otherwise

    @classmethod
    def read(cls, raw: object) -> Self:
        """The `textingHours` of a wave config.

        Raises:
            BadInput: it is no object, or `start`, `end` or `otherwise` is missing or wrong.
        """
        if not isinstance(raw, Mapping):
            raise BadInput("not an object", field="textingHours")
        start, end = _time(raw, "start"), _time(raw, "end")
        if start == end:
            raise BadInput("no hours between start and end", field="textingHours")
        return cls(start=start, end=end, otherwise=_otherwise(raw))

    def allow(self, now: datetime, zones: Zones) -> bool:
        """Whether a text may arrive at `now` wherever in `zones` its recipient is."""
        return all(self._contain(now.astimezone(zone(name)).time()) for name in zones)

    def open(self, now: datetime, zones: Zones) -> datetime | None:
        """The first moment from `now` on at which a text may arrive, None if there never is one."""
        if self.allow(now, zones):
            return now
        starts = (moment for moment in self._moments(self.start, now, zones) if moment > now)
        return next((moment for moment in sorted(starts) if self.allow(moment, zones)), None)

    def close(self, now: datetime, zones: Zones) -> datetime:
        """The first moment from `now` on at which no text may arrive."""
        ends = (moment for moment in self._moments(self.end, now, zones) if moment >= now)
        return next((moment for moment in sorted(ends) if not self.allow(moment, zones)), now)

    def _contain(self, local: time) -> bool:
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def _moments(self, wall: time, now: datetime, zones: Zones) -> Iterator[datetime]:
        """When the clocks of `zones` show `wall`, around `now`; both times where they go back."""
        for name in zones:
            today = now.astimezone(zone(name)).date()
            for day in range(-1, _DAYS_AHEAD + 1):
                local = datetime.combine(today + timedelta(days=day), wall, zone(name))
                yield from {local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}

    def wire(self) -> dict[str, str]:
        """The hours as the wave config writes them."""
        return {
            "start": f"{self.start:%H:%M}",
            "end": f"{self.end:%H:%M}",
            "otherwise": self.otherwise.value,
        }


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name.

    Raises:
        BadInput: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise BadInput("no time zone of this name", field="timezone") from None


def unfit(
    hours: TextingHours, groups: Mapping[Zones, int], start: datetime, every: timedelta
) -> str | None:
    """Why a wave that starts at `start` might not end inside its hours, None if it will.

    `groups` counts the texts by the zones of their recipients, `every` is the time between
    two texts. Whoever can be texted at the same time shares the rate: all of them must be done
    before the first of their windows closes.
    """
    waits = hours.otherwise is Otherwise.WAIT
    opens = {zones: hours.open(start, zones) for zones in groups}
    if waits and None in opens.values():
        return "some recipients may be in zones that are never inside the hours at one time"
    done, closes = start, list[datetime]()
    for opening, zones in sorted((moment, zones) for zones, moment in opens.items() if moment):
        if opening > done and not waits:
            break
        if opening > done:
            done, closes = opening, []
        done += min(groups[zones] * every, _LONGER_THAN_A_DAY)
        closes.append(hours.close(opening, zones))
        if done > min(closes):
            return "at its rate the wave cannot end inside its hours"
    return None


def _time(raw: Mapping[str, Any], name: str) -> time:
    value = raw.get(name)
    if isinstance(value, str) and _TIME.fullmatch(value):
        return time.fromisoformat(value)
    raise BadInput("not a time", field=f"textingHours.{name}", remedy="write HH:MM")


def _otherwise(raw: Mapping[str, Any]) -> Otherwise:
    try:
        return Otherwise(raw["otherwise"])
    except (KeyError, ValueError):
        raise BadInput(
            "unknown", field="textingHours.otherwise", remedy="write email or wait"
        ) from None
