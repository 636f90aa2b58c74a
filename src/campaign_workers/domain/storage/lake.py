"""Merged files of the lake: their periods, their sources and their manifests.

The header of a merged file lists the versions of the files it contains, so the list is written
together with the records or not at all. The manifest repeats the list with record counts, for
operators and for the worker that moves the files.
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
"""The metadata key in the header of a merged file that lists its sources."""

MAX_MERGED_BYTES: Final = 1_200_000_000
"""Size limit of a merged file in bytes."""

_DAYS_MERGED: Final = re.compile(r"avro/registration/(\d{4}/\d{2}/\d{2})/merged")


@attrs.frozen(kw_only=True)
class SourceFile:
    """One version of a file of the lake; `records` is None before they are counted."""

    key: str
    size: int
    etag: str
    records: int | None = None

    @property
    def version(self) -> tuple[str, str]:
        """The key and the ETag, which identify the version."""
        return self.key, self.etag

    def to_json(self) -> dict[str, Any]:
        """Return the source as a JSON object."""
        return attrs.asdict(self, filter=lambda _, value: value is not None)


@attrs.frozen(kw_only=True)
class Manifest:
    """The sources of the merged file of a period, in the order of merging."""

    period: str
    merged: SourceFile
    sources: tuple[SourceFile, ...]

    def to_bytes(self) -> bytes:
        """Return the manifest as a file."""
        document = {
            "period": self.period,
            "merged": self.merged.to_json(),
            "sources": [source.to_json() for source in self.sources],
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def parse(cls, data: bytes, *, file: str) -> "Manifest":
        """Parse a manifest that `to_bytes` wrote.

        Raises:
            BadInput: the data is not a manifest.
        """
        try:
            document = json.loads(data)
            return cls(
                period=document["period"],
                merged=SourceFile(**document["merged"]),
                sources=tuple(SourceFile(**source) for source in document["sources"]),
            )
        except (ValueError, TypeError, KeyError):
            raise BadInput("expected the manifest of a merged file", file=file) from None


def build_sources_note(sources: tuple[SourceFile, ...]) -> Mapping[str, str]:
    """Build the metadata that lists the sources of a merged file."""
    listed = [attrs.evolve(source, records=None).to_json() for source in sources]
    return {SOURCES_NOTE: json.dumps(listed, separators=(",", ":"))}


def parse_sources_note(notes: Mapping[str, str], *, file: str) -> tuple[SourceFile, ...] | None:
    """Parse the sources of a merged file; None if another tool wrote the file.

    Raises:
        BadInput: the header's source list cannot be parsed.
    """
    if SOURCES_NOTE not in notes:
        return None
    try:
        return tuple(SourceFile(**source) for source in json.loads(notes[SOURCES_NOTE]))
    except (ValueError, TypeError):
        raise BadInput("its header's source list cannot be parsed", file=file) from None


def day_of_merged_key(key: str) -> str | None:
    """Return the day of the merged file with this key, None for any other key."""
    found = _DAYS_MERGED.fullmatch(key)
    return found[1] if found else None


def month_of(period: str) -> str | None:
    """Return the month of a day, None if the period is a month."""
    month, _, _ = period.rpartition("/")
    return month if "/" in month else None


def parse_period(text: str) -> str:
    """Return the period `YYYY/MM/DD` or `YYYY/MM` of a period or of a registration folder.

    Raises:
        BadInput: `text` is neither, or the day or month does not exist.
    """
    short = text.strip().strip("/").removeprefix("avro/registration/")
    year, month, day = [*layout.validate_period(short).split("/"), "01"][:3]
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        raise BadInput("no such day or month", field="inputPrefix") from None
    return short


def build_move_message(period: str) -> str:
    """Build the message that requests moving the merged files of a period."""
    return json.dumps([layout.registration_prefix(period).rstrip("/")])


def parse_move_message(body: str) -> str:
    """Return the period of a move message.

    Raises:
        BadInput: the body is not a JSON list of one registration folder.
    """
    try:
        prefixes = json.loads(body)
    except (ValueError, RecursionError):
        prefixes = None
    match prefixes:
        case [str(prefix)]:
            return parse_period(prefix)
    raise BadInput("expected a JSON list of one prefix", field="body")


def yesterday(today: date) -> str:
    """Return the period of a daily merge."""
    return f"{today - timedelta(days=1):%Y/%m/%d}"


def last_month(today: date) -> str:
    """Return the period of a monthly merge."""
    return f"{today.replace(day=1) - timedelta(days=1):%Y/%m}"
