"""A folder of uploads of one campaign."""

import codecs
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import attrs

from campaign_workers.domain.campaigns import Campaign, parse_campaign
from campaign_workers.domain.errors import BadInput, RejectRecord
from campaign_workers.domain.running.events import validate_record
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
        """Check that the required files exist and that the campaign document is valid.

        Raises:
            BadInput: the folder or files in it are missing (names all of them), or the document
                is not valid.
        """
        if not self.folder.is_dir():
            raise BadInput("no such folder", file=str(self.folder))
        if missing := [name for name in REQUIRED if not (self.folder / name).is_file()]:
            raise BadInput(f"{', '.join(missing)} missing", file=str(self.folder))
        self.campaign()

    def campaign(self) -> Campaign:
        """Return the campaign of `campaign.json`.

        Raises:
            BadInput: the document is not a JSON object or not a campaign; names the field.
        """
        path = self.folder / "campaign.json"
        document = read_document(path)
        try:
            return parse_campaign(document)
        except BadInput as error:
            raise error.within(str(path)) from None

    def file(self, name: str) -> Path | None:
        """Return the path of a file, None if it does not exist."""
        path = self.folder / name
        return path if path.exists() else None

    def external_codes(self) -> tuple[str, ...]:
        """Return the codes of `external-codes.csv`, none if there is no such file."""
        if (path := self.file("external-codes.csv")) is None:
            return ()
        try:
            header, *codes = path.read_text(encoding="utf-8-sig").split() or [""]
        except UnicodeDecodeError:
            raise BadInput("not UTF-8", file=str(path)) from None
        if header != "code":
            raise BadInput("expected the single column 'code'", file=str(path), line=1)
        return tuple(codes)

    def opens(self) -> datetime:
        """Return midnight (UTC) of the day of the first registration.

        Raises:
            BadInput: there are no registrations, or none has a valid date.
        """
        path = self.folder / "registrations.jsonl"
        for day, _ in self.registration_days():
            if day == NO_DAY:
                raise BadInput(
                    "no record has a valid 'created' date",
                    file=str(path),
                    remedy="use dates of the years 2000 to 2999, such as 2026-09-01T10:00:00Z",
                )
            return day
        raise BadInput("no registrations", file=str(path))

    def registration_days(self) -> Iterator[tuple[datetime, list[bytes]]]:
        """Yield each UTC day with its lines of `registrations.jsonl`; days never go back.

        A line without a valid `created` belongs to the day of the line above. So does a line that
        is more than a year later, because the runner would simulate every day in between.
        """
        dated = _with_days(records(self.folder / "registrations.jsonl"))
        for day, group in groupby(dated, key=lambda pair: pair[0]):
            yield day, [line for _, line in group]


def _with_days(lines: Iterator[bytes]) -> Iterator[tuple[datetime, bytes]]:
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
    """Yield the lines of a file of records without blank ones.

    Raises:
        BadInput: a line is too large for a stream; names file and line.
    """
    with file.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            line = raw.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").strip()
            if not line:
                continue
            try:
                validate_record(partition_key(line), line)
            except RejectRecord as why:
                raise BadInput(why.reason, file=str(file), line=number) from None
            yield line


def partition_key(line: bytes) -> str:
    """Return the partition key of a registration: the fan's id, or else the line's length."""
    _, found, rest = line.partition(b'"globalUserId"')
    fan = rest.partition(b'"')[2].partition(b'"')[0].decode("utf-8", "replace")[:256]
    return fan if found and fan else f"line-{len(line)}"


def noon(day: datetime) -> datetime:
    """Return noon of a day."""
    return day + timedelta(hours=12)
