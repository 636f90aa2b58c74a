"""By which channel each registrant of a wave is notified, and whether the wave fits its hours."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import attrs

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.waves import WaveConfig
from campaign_workers.domain.waves.area_codes import zones_of_number
from campaign_workers.domain.waves.notifications import Fate, Notification
from campaign_workers.domain.waves.pacing import interval
from campaign_workers.domain.waves.texting_hours import Otherwise, Zones, unfit, zone


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
