"""The times at which the schedules of the trigger table fire."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import takewhile

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.triggers import ScheduleTrigger

# EventBridge numbers weekdays from 1 and cron from 0, so only their names are accepted.
_CRON = re.compile(r"cron\((?P<fields>(\S+ ){4}[^\s\d]+) \*\)")
_RATE = re.compile(r"rate\(\d+ (minute|hour|day)s?\)")


def firings(
    triggers: Iterable[ScheduleTrigger], since: datetime, until: datetime
) -> list[tuple[datetime, ScheduleTrigger]]:
    """Return what fires after `since` and up to `until`, by time and then by trigger order.

    A cron schedule fires at each of its instants. A rate schedule fires once, at `until`: the
    firings in between would find nothing new to do.

    Raises:
        BadInput: a schedule is not valid in EventBridge.
    """
    due = [
        (instant, trigger)
        for trigger in triggers
        for instant in _instants(trigger.schedule, since, until)
    ]
    return sorted(due, key=lambda firing: firing[0])


def _instants(schedule: str, since: datetime, until: datetime) -> Iterator[datetime]:
    if cron := _CRON.fullmatch(schedule):
        yield from _cron_instants(cron["fields"].replace("?", "*"), since, until)
    elif _RATE.fullmatch(schedule):
        if until > since:
            yield until
    else:
        raise _invalid_schedule()


def _cron_instants(fields: str, since: datetime, until: datetime) -> Iterator[datetime]:
    from cronsim import CronSim, CronSimError

    try:
        instants = CronSim(fields, since)
    except CronSimError:
        raise _invalid_schedule() from None
    yield from takewhile(lambda instant: instant <= until, instants)


def _invalid_schedule() -> BadInput:
    return BadInput("expected cron(...) or rate(...)", field="schedule")
