"""Texting hours: when texts may arrive, in the recipient's local time.

A recipient may be in one of several time zones, and all of them must allow a text. A recipient
whose zones never allow a text at the same time cannot be texted.

The zones of an area code come from the time zone map of libphonenumber 9.0.42 (Apache-2.0): all
zones that the map has for any exchange of the area code. Numbers move within an area code, and
additional zones can only make texting hours stricter.
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
"""The IANA names of the time zones a recipient may be in, at least one."""

_DAYS_AHEAD: Final = 3
"""Hours repeat daily; two more days cover zones that are a day apart."""

_LONG_TIME: Final = timedelta(days=2)

_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


class OutsideHours(StrEnum):
    """What to do with a text outside the texting hours."""

    EMAIL = "email"
    WAIT = "wait"


@attrs.frozen(kw_only=True)
class TextingHours:
    """The daily window from `start` to before `end`; it crosses midnight if `end` is earlier."""

    start: time
    end: time
    otherwise: OutsideHours

    @classmethod
    def parse(cls, raw: object) -> Self:
        """Parse the `textingHours` of a wave config.

        Raises:
            BadInput: `raw` is not an object, or `start`, `end` or `otherwise` is missing or
                invalid; names the field.
        """
        if not isinstance(raw, Mapping):
            raise BadInput("expected an object", field="textingHours")
        start, end = _time(raw, "start"), _time(raw, "end")
        if start == end:
            raise BadInput("start and end are the same", field="textingHours")
        return cls(start=start, end=end, otherwise=_otherwise(raw))

    def allow(self, now: datetime, zones: Zones) -> bool:
        """Whether a text may arrive at `now` in each of `zones`."""
        return all(self._contain(now.astimezone(zone(name)).time()) for name in zones)

    def next_opening(self, now: datetime, zones: Zones) -> datetime | None:
        """Return the first time from `now` on at which a text may arrive, None if never."""
        if self.allow(now, zones):
            return now
        starts = (moment for moment in self._moments(self.start, now, zones) if moment > now)
        return next((moment for moment in sorted(starts) if self.allow(moment, zones)), None)

    def next_closing(self, now: datetime, zones: Zones) -> datetime:
        """Return the first time from `now` on at which no text may arrive."""
        ends = (moment for moment in self._moments(self.end, now, zones) if moment >= now)
        return next((moment for moment in sorted(ends) if not self.allow(moment, zones)), now)

    def _contain(self, local: time) -> bool:
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def _moments(self, wall: time, now: datetime, zones: Zones) -> Iterator[datetime]:
        """Yield when clocks in `zones` show `wall`, around `now`; twice where they are set back."""
        for name in zones:
            today = now.astimezone(zone(name)).date()
            for day in range(-1, _DAYS_AHEAD + 1):
                local = datetime.combine(today + timedelta(days=day), wall, zone(name))
                yield from {local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}

    def to_json(self) -> dict[str, str]:
        """Return the hours as in a wave config."""
        return {
            "start": f"{self.start:%H:%M}",
            "end": f"{self.end:%H:%M}",
            "otherwise": self.otherwise.value,
        }


@cache
def zone(name: str) -> ZoneInfo:
    """Return the time zone with an IANA name.

    Raises:
        BadInput: there is no such time zone.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise BadInput("expected an IANA time zone name", field="timezone") from None


def hours_conflict(
    hours: TextingHours, groups: Mapping[Zones, int], start: datetime, interval: timedelta
) -> str | None:
    """Return why a wave might not end within its texting hours, None if it will.

    Groups that can be texted at the same time share the rate: all of them must be finished before
    the first of their windows closes.

    Args:
        hours: the texting hours.
        groups: the number of texts by the time zones of their recipients.
        start: when the wave starts.
        interval: the time between two texts.
    """
    waits = hours.otherwise is OutsideHours.WAIT
    opens = {zones: hours.next_opening(start, zones) for zones in groups}
    if waits and None in opens.values():
        return "some recipients may be in zones that are never within the hours at the same time"
    done, closes = start, list[datetime]()
    for opening, zones in sorted((moment, zones) for zones, moment in opens.items() if moment):
        if opening > done and not waits:
            break
        if opening > done:
            done, closes = opening, []
        done += min(groups[zones] * interval, _LONG_TIME)
        closes.append(hours.next_closing(opening, zones))
        if done > min(closes):
            return "at its rate the wave cannot end within its hours"
    return None


def _time(raw: Mapping[str, Any], name: str) -> time:
    value = raw.get(name)
    if isinstance(value, str) and _TIME.fullmatch(value):
        return time.fromisoformat(value)
    raise BadInput("expected a time as HH:MM", field=f"textingHours.{name}")


def _otherwise(raw: Mapping[str, Any]) -> OutsideHours:
    try:
        return OutsideHours(raw["otherwise"])
    except (KeyError, ValueError):
        raise BadInput("expected email or wait", field="textingHours.otherwise") from None


# --- time zones of area codes ---

_AREA_CODES: Final = {
    "America/New_York": (
        "201 202 203 207 212 215 216 220 223 227 229 231 234 239 240 248 252 260 267 269 272 276 "
        "283 301 302 304 305 313 315 317 321 324 326 329 330 332 336 339 347 351 352 363 364 380 "
        "386 401 404 407 410 412 413 419 434 440 443 445 448 463 470 472 475 478 484 502 508 513 "
        "516 517 518 540 551 561 567 570 571 582 585 586 603 607 609 610 614 616 617 631 640 645 "
        "646 656 667 678 680 681 686 703 704 706 716 717 718 724 727 728 732 734 740 743 754 757 "
        "762 765 770 771 772 774 781 786 802 803 804 810 813 814 821 826 828 835 838 839 843 845 "
        "848 854 856 857 859 860 862 863 864 865 878 904 908 910 912 914 917 919 929 930 934 937 "
        "941 943 947 948 954 959 973 978 980 984 989"
    ),
    "America/Chicago": (
        "205 210 214 217 218 224 225 228 235 251 254 256 262 274 281 309 312 314 316 318 319 320 "
        "325 327 331 334 337 346 353 361 402 405 409 414 417 430 432 447 464 469 479 501 504 507 "
        "512 515 531 534 539 557 563 572 573 580 601 608 612 615 618 629 630 636 641 651 659 660 "
        "662 682 689 708 712 713 715 726 730 731 737 763 769 773 779 806 815 816 817 830 832 847 "
        "870 872 901 903 913 918 920 931 936 938 940 945 952 956 972 975 979 985"
    ),
    "America/Los_Angeles": (
        "206 209 213 253 279 310 323 341 350 360 369 408 415 424 425 442 458 503 509 510 530 559 "
        "562 564 619 626 628 650 657 661 669 702 707 714 725 738 747 760 805 818 820 831 840 858 "
        "909 916 925 949 951 971"
    ),
    "America/Toronto": (
        "226 249 263 273 289 343 354 365 367 382 416 437 438 450 468 514 519 548 579 581 613 647 "
        "683 705 742 753 819 873 905 942"
    ),
    "America/Denver": "303 307 385 406 435 505 575 719 720 748 801 915 970 983",
    "America/Chicago America/New_York": "219 270 423 574 606 812 850 906",
    "America/Edmonton": "368 403 587 780 825",
    "America/Vancouver": "236 257 604 672 778",
    "America/Halifax": "428 506 782 902",
    "America/Phoenix": "480 520 602 623",
    "America/Winnipeg": "204 431 474 584",
    "America/Chicago America/Denver": "308 620 785",
    "America/Santo_Domingo": "809 829 849",
    "America/Boise America/Denver America/Los_Angeles": "208 775",
    "America/Chicago America/Denver America/North_Dakota/Center": "605 701",
    "America/Jamaica": "658 876",
    "America/Puerto_Rico": "787 939",
    "America/Regina": "306 639",
    "America/Adak America/Anchorage America/Juneau Pacific/Honolulu": "907",
    "America/Anguilla": "264",
    "America/Antigua": "268",
    "America/Barbados": "246",
    "America/Boise America/Los_Angeles": "986",
    "America/Cayman": "345",
    "America/Denver America/Los_Angeles": "541",
    "America/Denver America/Phoenix": "928",
    "America/Dominica": "767",
    "America/Edmonton America/Fort_Nelson America/Toronto America/Vancouver America/Winnipeg": (
        "867"
    ),
    "America/Edmonton America/Vancouver": "250",
    "America/Grand_Turk": "649",
    "America/Grenada": "473",
    "America/Halifax America/St_Johns": "709",
    "America/Halifax America/Toronto": "418",
    "America/Lower_Princes": "721",
    "America/Montserrat": "664",
    "America/Nassau": "242",
    "America/Port_of_Spain": "868",
    "America/Puerto_Rico America/St_Johns": "879",
    "America/St_Kitts": "869",
    "America/St_Lucia": "758",
    "America/St_Thomas": "340",
    "America/St_Vincent": "784",
    "America/Toronto America/Winnipeg": "807",
    "America/Tortola": "284",
    "Atlantic/Bermuda": "441",
    "Pacific/Guam": "671",
    "Pacific/Honolulu": "808",
    "Pacific/Pago_Pago": "684",
    "Pacific/Saipan": "670",
}

_ZONES: Final = {
    code: tuple(zones.split()) for zones, codes in _AREA_CODES.items() for code in codes.split()
}

EVERYWHERE: Final = tuple(sorted({zone for zones in _ZONES.values() for zone in zones}))
"""The zones of all area codes, used for numbers without a region, such as toll-free ones."""


def zones_of_number(number: str) -> tuple[str, ...]:
    """Return the time zones that an E.164 number of country code 1 may belong to."""
    return _ZONES.get(number[2:5], EVERYWHERE)
