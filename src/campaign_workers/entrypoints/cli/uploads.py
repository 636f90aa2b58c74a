"""A folder of uploads, laid out as an operator has it."""

import codecs
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import attrs

from campaign_workers.domain.campaigns import Campaign, parse_campaign
from campaign_workers.domain.errors import BadInput, RejectRecord
from campaign_workers.domain.running.events import checked_record
from campaign_workers.entrypoints.cli.files import read_document

REQUIRED = ("campaign.json", "registrations.jsonl", "scored.txt", "market-details.csv")
LISTS = {
    "blocklist-emails.txt": "blocklist/emails.txt",
    "blocklist-domains.txt": "blocklist/domains.txt",
    "allowlist-patterns.txt": "allowlist/patterns.txt",
}
"""File of the folder -> key in the scoring bucket."""

NO_DAY = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_PAUSE = timedelta(days=366)


@attrs.frozen
class Uploads:
    """The files of one campaign in `folder`."""

    folder: Path

    def check(self) -> None:
        """Make sure that all needed files are there, and that the campaign's document is one.

        Raises:
            BadInput: the folder or files of it are missing, all of them are named; the document
                cannot be read.
        """
        if not self.folder.is_dir():
            raise BadInput("no such folder", file=str(self.folder))
        if missing := [name for name in REQUIRED if not (self.folder / name).is_file()]:
            raise BadInput(f"{', '.join(missing)} missing", file=str(self.folder))
        self.campaign()

    def campaign(self) -> Campaign:
        """What the campaign's document says.

        Raises:
            BadInput: it is not a JSON object, or no campaign; names the field.
        """
        path = self.folder / "campaign.json"
        document = read_document(path)
        try:
            return parse_campaign(document)
        except BadInput as error:
            raise error.within(str(path)) from None

    def file(self, name: str) -> Path | None:
        """A file of the folder, None if it is not there."""
        path = self.folder / name
        return path if path.exists() else None

    def external_codes(self) -> tuple[str, ...]:
        """The codes of `external-codes.csv`, none without it."""
        if (path := self.file("external-codes.csv")) is None:
            return ()
        try:
            header, *codes = path.read_text(encoding="utf-8-sig").split() or [""]
        except UnicodeDecodeError:
            raise BadInput("not UTF-8", file=str(path)) from None
        if header != "code":
            raise BadInput("the only column must be code", file=str(path), line=1)
        return tuple(codes)

    def opens(self) -> datetime:
        """Midnight (UTC) of the first day on which somebody registered.

        Raises:
            BadInput: nobody did, or no line says when.
        """
        path = self.folder / "registrations.jsonl"
        for day, _ in self.registration_days():
            if day == NO_DAY:
                raise BadInput(
                    "no line tells its day",
                    file=str(path),
                    field="created",
                    remedy="give a date of the years 2000 to 2999, such as 2026-09-01T10:00:00Z",
                )
            return day
        raise BadInput("no registrations", file=str(path))

    def registration_days(self) -> Iterator[tuple[datetime, list[bytes]]]:
        """Lines of `registrations.jsonl` by the UTC day on which they came in.

        A line without a readable `created` came in with its neighbour above, and so did one of
        more than a year later: the years between would be played day by day. Days never go back.
        """
        dated = _dated(records(self.folder / "registrations.jsonl"))
        for day, group in groupby(dated, key=lambda pair: pair[0]):
            yield day, [line for _, line in group]


def _dated(lines: Iterator[bytes]) -> Iterator[tuple[datetime, bytes]]:
    day: datetime | None = None
    undated: list[bytes] = []
    for line in lines:
        found = _day_of(line)
        if found and (day is None or day < found <= day + LONGEST_PAUSE):
            day = found
        if day is None:
            undated.append(line)
            continue
        yield from ((day, early) for early in undated)
        undated.clear()
        yield day, line
    yield from ((NO_DAY, line) for line in undated)


def _day_of(line: bytes) -> datetime | None:
    _, found, rest = line.rpartition(b'"created"')
    text = rest.partition(b'"')[2][:10].decode("ascii", "replace")
    try:
        day = datetime.fromisoformat(text).replace(tzinfo=UTC) if found else NO_DAY
    except ValueError:
        return None
    return day if 2000 <= day.year < 3000 else None


def records(file: Path) -> Iterator[bytes]:
    """The lines of a file of records; blank ones are passed over.

    Raises:
        BadInput: a line is more than a stream takes; names file and line.
    """
    with file.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            line = raw.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").strip()
            if not line:
                continue
            try:
                checked_record(partition_key(line), line)
            except RejectRecord as why:
                raise BadInput(why.reason, file=str(file), line=number) from None
            yield line


def partition_key(line: bytes) -> str:
    """The key that spreads a registration over shards: the fan's id, else the line's length."""
    _, found, rest = line.partition(b'"globalUserId"')
    fan = rest.partition(b'"')[2].partition(b'"')[0].decode("utf-8", "replace")[:256]
    return fan if found and fan else f"line-{len(line)}"


def noon(day: datetime) -> datetime:
    """The middle of a day, when its registrations have come in."""
    return day + timedelta(hours=12)
