"""When the schedules of the trigger table fire."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import takewhile

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.triggers import ScheduleTrigger

# EventBridge counts weekdays from 1 and cron from 0, so that only their names are unambiguous.
_CRON = re.compile(r"cron\((?P<fields>(\S+ ){4}[^\s\d]+) \*\)")
_RATE = re.compile(r"rate\(\d+ (minute|hour|day)s?\)")


def firings(
    triggers: Iterable[ScheduleTrigger], since: datetime, until: datetime
) -> list[tuple[datetime, ScheduleTrigger]]:
    """What fires after `since` and not after `until`, in order of time, then of the table.

    A cron schedule fires at each of its instants. A rate would only repeat what it has just
    done while nothing happens, so its firings in between are one, at `until`.

    Raises:
        BadInput: a schedule is in no notation that EventBridge has.
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
        raise _no_schedule()


def _cron_instants(fields: str, since: datetime, until: datetime) -> Iterator[datetime]:
    from cronsim import CronSim, CronSimError

    try:
        instants = CronSim(fields, since)
    except CronSimError:
        raise _no_schedule() from None
    yield from takewhile(lambda instant: instant <= until, instants)


def _no_schedule() -> BadInput:
    return BadInput("no schedule of the form cron(...) or rate(...)", field="schedule")
