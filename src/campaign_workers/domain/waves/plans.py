"""How texts of a wave are spread over time.

By which channel each registrant of a wave is notified, and whether the wave fits its hours.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Final

import attrs

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.waves.area_codes import zones_of_number
from campaign_workers.domain.waves.config import WaveConfig
from campaign_workers.domain.waves.notifications import Fate, Notification
from campaign_workers.domain.waves.texting_hours import Otherwise, Zones, unfit, zone

_SECOND: Final = timedelta(seconds=1)
_MOST: Final = 10_000
"""Texts a second beyond which a rate is none; no service takes as many."""


class Pace:
    """When the next text may go, so that no second, wherever it begins, has more than `rate`.

    Texts are spread evenly, and what comes late is caught up within the second. The texts of an
    earlier run may have gone until `start`, so the first one waits for a second. A rate below one
    has one text every `1/rate` seconds; a broken rate is rounded down to whole texts a second.
    """

    def __init__(self, rate: float, *, start: datetime) -> None:
        most = max(1, min(int(rate), _MOST))
        self._every = interval(rate)
        self._span = max(_SECOND, self._every)
        self._gone: deque[datetime] = deque([start] * most, maxlen=most)
        self._planned = start + self._span - self._every

    def due(self) -> datetime:
        """The moment from which the next text may go."""
        return max(self._planned + self._every, self._gone[0] + self._span)

    def go(self, now: datetime) -> None:
        """Note that a text goes at `now`, which is not before `due`."""
        self._planned = max(self._planned + self._every, now - _SECOND)
        self._gone.append(now)


def interval(rate: float) -> timedelta:
    """The time between two texts, in whole microseconds, never shorter than the rate allows."""
    whole = rate if rate < 1 else min(int(rate), _MOST)
    return timedelta(microseconds=ceil(1_000_000 / whole))


@attrs.frozen(kw_only=True)
class WavePlan:
    """A wave's config, and the time zones of its campaign's markets by market id."""

    config: WaveConfig
    market_zones: Mapping[str, str] = attrs.field(factory=dict)

    def zones_of(self, notification: Notification) -> Zones:
        """Where a registrant who is to be texted may be: the market's zone, else the number's."""
        market_zone = self.market_zones.get(notification.registrant.market_id)
        return (market_zone,) if market_zone else zones_of_number(notification.phone or "")

    def channel(self, notification: Notification, now: datetime) -> Fate:
        """`SMS` or `EMAIL`, as it is decided at `now`, for one who can be notified.

        Outside the hours a text waits unless the config wants an e-mail and there is an address.
        """
        if notification.phone is None:
            return Fate.EMAIL
        hours = self.config.texting_hours
        if hours is None or hours.otherwise is Otherwise.WAIT or notification.email is None:
            return Fate.SMS
        return Fate.SMS if hours.allow(now, self.zones_of(notification)) else Fate.EMAIL

    def opening(self, notification: Notification, now: datetime) -> datetime | None:
        """The first moment from `now` on at which a text may arrive, None if there never is one."""
        hours = self.config.texting_hours
        return hours.open(now, self.zones_of(notification)) if hours else now

    def check(self, judged: Iterable[tuple[int, Notification | Fate]], start: datetime) -> None:
        """See all rows of a wave that starts at `start`, before its first text.

        Raises:
            BadInput: a market has no time zone that exists, or the wave might not end inside its
                hours at its rate; or whatever reading the rows raises.
        """
        hours, rate = self.config.texting_hours, self.config.rate
        groups = Counter(
            self.zones_of(row)
            for _, row in judged
            if hours and isinstance(row, Notification) and not row.failure and row.phone
        )
        for name in {name for zones in groups for name in zones}:
            zone(name)
        every = interval(rate) if rate else timedelta()
        if hours and (problem := unfit(hours, groups, start, every)):
            raise BadInput(
                problem, field="textingHours", remedy="widen the hours, raise the rate or split it"
            )
