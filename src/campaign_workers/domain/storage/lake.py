"""Merged files of the lake: which periods there are, and what a merged file contains.

A merged file says in its own header which versions of which files it contains, because that is
written together with the records or not at all. The manifest repeats it with record counts, for
people and for whoever moves the files away.
"""

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import attrs

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.storage import layout

SOURCES_NOTE: Final = "campaign-workers.sources"
"""The note in the header of a merged file that lists what it contains."""

MAX_MERGED_BYTES: Final = 1_200_000_000
"""Bytes that a merged file may have."""

_DAYS_MERGED: Final = re.compile(r"avro/registration/(\d{4}/\d{2}/\d{2})/merged")


@attrs.frozen(kw_only=True)
class SourceFile:
    """One version of a file of the lake; `records` is None until somebody counted them."""

    key: str
    size: int
    etag: str
    records: int | None = None

    @property
    def version(self) -> tuple[str, str]:
        """What makes it this very version."""
        return self.key, self.etag

    def to_json(self) -> dict[str, Any]:
        """The source as a JSON object."""
        return attrs.asdict(self, filter=lambda _, value: value is not None)


@attrs.frozen(kw_only=True)
class Manifest:
    """What the merged file of a period contains, in the order it was merged."""

    period: str
    merged: SourceFile
    sources: tuple[SourceFile, ...]

    def to_bytes(self) -> bytes:
        """The manifest as it is stored."""
        document = {
            "period": self.period,
            "merged": self.merged.to_json(),
            "sources": [source.to_json() for source in self.sources],
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def parse(cls, data: bytes, *, file: str) -> "Manifest":
        """Read what `to_json` wrote.

        Raises:
            BadInput: it is no manifest.
        """
        try:
            document = json.loads(data)
            return cls(
                period=document["period"],
                merged=SourceFile(**document["merged"]),
                sources=tuple(SourceFile(**source) for source in document["sources"]),
            )
        except (ValueError, TypeError, KeyError):
            raise BadInput("not a manifest of a merged file", file=file) from None


def build_sources_note(sources: tuple[SourceFile, ...]) -> Mapping[str, str]:
    """The note that a merged file carries of its sources."""
    listed = [attrs.evolve(source, records=None).to_json() for source in sources]
    return {SOURCES_NOTE: json.dumps(listed, separators=(",", ":"))}


def parse_sources_note(notes: Mapping[str, str], *, file: str) -> tuple[SourceFile, ...] | None:
    """What a merged file says it contains; None if we did not write it.

    Raises:
        BadInput: nobody can read what it says.
    """
    if SOURCES_NOTE not in notes:
        return None
    try:
        return tuple(SourceFile(**source) for source in json.loads(notes[SOURCES_NOTE]))
    except (ValueError, TypeError):
        raise BadInput("says in no known way what it contains", file=file) from None


def day_of_merged_key(key: str) -> str | None:
    """The day whose merged file lies under `key`, None if it is another file."""
    found = _DAYS_MERGED.fullmatch(key)
    return found[1] if found else None


def month_of(period: str) -> str | None:
    """The month of a day, None if the period is a month itself."""
    month, _, _ = period.rpartition("/")
    return month if "/" in month else None


def parse_period(text: str) -> str:
    """`YYYY/MM/DD` or `YYYY/MM`, written so or as a folder of registrations.

    Raises:
        BadInput: it is no day or month of the calendar, or another folder.
    """
    short = text.strip().strip("/").removeprefix("avro/registration/")
    year, month, day = [*layout.validate_period(short).split("/"), "01"][:3]
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        raise BadInput("no day or month of the calendar", field="prefix") from None
    return short


def build_move_message(period: str) -> str:
    """The message that asks for the merged files of a period to be moved."""
    return json.dumps([layout.registration_prefix(period).rstrip("/")])


def parse_move_message(body: str) -> str:
    """The period that a move message names.

    Raises:
        BadInput: it is not a JSON list of exactly one folder of registrations.
    """
    try:
        prefixes = json.loads(body)
    except (ValueError, RecursionError):
        prefixes = None
    match prefixes:
        case [str(prefix)]:
            return parse_period(prefix)
    raise BadInput("not a list of one prefix", field="body")


def yesterday(today: date) -> str:
    """The day that a daily merge is about."""
    return f"{today - timedelta(days=1):%Y/%m/%d}"


def last_month(today: date) -> str:
    """The month that a monthly merge is about."""
    return f"{today.replace(day=1) - timedelta(days=1):%Y/%m}"
