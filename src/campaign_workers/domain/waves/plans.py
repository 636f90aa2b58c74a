"""Plans of a wave: which rows are notified, by which channel, and when the next text may go."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Final

import attrs

from campaign_workers.domain.csv.rows import Row
from campaign_workers.domain.errors import BadInput, RejectRecord
from campaign_workers.domain.waves.config import WaveConfig
from campaign_workers.domain.waves.files import Registrant
from campaign_workers.domain.waves.notifications import Notification
from campaign_workers.domain.waves.outcomes import RowOutcome
from campaign_workers.domain.waves.texting_hours import (
    OutsideHours,
    Zones,
    hours_conflict,
    zone,
    zones_of_number,
)

PlannedRow = tuple[int, Notification | RowOutcome]
"""The number of a row, and its notification or the reason why it has none."""

_SECOND: Final = timedelta(seconds=1)
_MAX_RATE: Final = 10_000
"""Rates are capped at this many texts a second."""


class RateLimiter:
    """Spreads texts so that no window of one second, wherever it starts, has more than `rate`.

    Texts are spread evenly; a late text is caught up within a second. A rate below one allows one
    text every `1/rate` seconds; a fractional rate above one is rounded down.
    """

    def __init__(self, rate: float, *, start: datetime) -> None:
        limit = max(1, min(int(rate), _MAX_RATE))
        self._interval = text_interval(rate)
        self._window = max(_SECOND, self._interval)
        # An earlier run may have sent texts until `start`: the first text waits for one window.
        self._sent_at: deque[datetime] = deque([start] * limit, maxlen=limit)
        self._planned = start + self._window - self._interval

    def next_slot(self) -> datetime:
        """Return the earliest time of the next text."""
        return max(self._planned + self._interval, self._sent_at[0] + self._window)

    def record(self, now: datetime) -> None:
        """Record that a text is sent at `now`, which is not before `next_slot`."""
        self._planned = max(self._planned + self._interval, now - _SECOND)
        self._sent_at.append(now)


def text_interval(rate: float) -> timedelta:
    """Return the time between two texts at `rate`, rounded up to whole microseconds."""
    per_second = rate if rate < 1 else min(int(rate), _MAX_RATE)
    return timedelta(microseconds=ceil(1_000_000 / per_second))


def plan_rows(
    rows: Iterable[Row], *, campaign_id: str, wave: str, limit: int
) -> Iterator[PlannedRow]:
    """Yield each row's number with its notification, or with the reason why it has none.

    A notification is for a fan in a market: further rows of the same fan and market are
    duplicates. The first `limit` notifications of the file are sent, in whichever call.
    """
    seen: set[str] = set()
    for number, row in enumerate(rows):
        try:
            registrant = Registrant.parse(row.cells, row.line)
        except RejectRecord:
            yield number, RowOutcome.NO_FAN
            continue
        notification = Notification.build(campaign_id, wave, registrant)
        if notification.message_id in seen:
            yield number, RowOutcome.DUPLICATE
            continue
        seen.add(notification.message_id)
        yield number, notification if len(seen) <= limit else RowOutcome.OVER_LIMIT


@attrs.frozen(kw_only=True)
class WavePlan:
    """A wave's config, and the time zones of its campaign's markets by market id."""

    config: WaveConfig
    market_zones: Mapping[str, str] = attrs.field(factory=dict)

    def zones_of(self, notification: Notification) -> Zones:
        """Return the zones a recipient may be in: the market's zone, or those of the number."""
        market_zone = self.market_zones.get(notification.registrant.market_id)
        return (market_zone,) if market_zone else zones_of_number(notification.phone or "")

    def channel(self, notification: Notification, now: datetime) -> RowOutcome:
        """Return the outcome to aim for at `now`, `SMS` or `EMAIL`.

        Outside the texting hours a text waits, unless the config asks for an e-mail instead and
        there is an address.
        """
        if notification.phone is None:
            return RowOutcome.EMAIL
        hours = self.config.texting_hours
        if hours is None or hours.otherwise is OutsideHours.WAIT or notification.email is None:
            return RowOutcome.SMS
        is_allowed = hours.allow(now, self.zones_of(notification))
        return RowOutcome.SMS if is_allowed else RowOutcome.EMAIL

    def next_opening(self, notification: Notification, now: datetime) -> datetime | None:
        """Return the first time from `now` on at which a text may arrive, None if never."""
        hours = self.config.texting_hours
        return hours.next_opening(now, self.zones_of(notification)) if hours else now

    def validate(self, planned_rows: Iterable[PlannedRow], start: datetime) -> None:
        """Check before the first text that the wave can end within its texting hours.

        Args:
            planned_rows: all rows of the wave file.
            start: when the wave starts.

        Raises:
            BadInput: a market's time zone does not exist, or the wave might not end within its
                hours at its rate.
            CampaignError: whatever reading the rows raises.
        """
        hours, rate = self.config.texting_hours, self.config.rate
        groups = Counter(
            self.zones_of(row)
            for _, row in planned_rows
            if hours and isinstance(row, Notification) and not row.failure and row.phone
        )
        for name in {name for zones in groups for name in zones}:
            zone(name)
        interval = text_interval(rate) if rate else timedelta()
        if hours and (problem := hours_conflict(hours, groups, start, interval)):
            raise BadInput(
                problem,
                field="textingHours",
                remedy="widen the hours, raise the rate or split the wave",
            )
