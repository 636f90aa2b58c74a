"""Decision records have one form and one index."""

import datetime
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, name_of

FOLDER = ROOT / "docs" / "decisions"
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")
RECORDS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
HEAD = re.compile(
    r"# (?P<title>\S.+)\n\n"
    r"- \*\*Date:\*\* (?P<date>\S+)\n"
    r"- \*\*Status:\*\* (?P<status>.+)\n\n"
)
STATUS = re.compile(
    r"Proposed|Rejected|Accepted(, amended by \[decision \d+\]\(.+\))?"
    r"|Superseded by \[decision \d+\]\(.+\)"
)
ROW = re.compile(r"^\| \[(\d+)\]\((\S+)\) \| (.+?) \| (\S+) \| (.+?) \|$", re.MULTILINE)


def head(record: Path) -> tuple[str, str, str]:
    """Return title, date and status of a record."""
    found = HEAD.match(record.read_text(encoding="utf-8"))
    assert found, f"{name_of(record)}: expected a title, a date and a status"
    return found["title"], found["date"], found["status"]


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_record_has_a_title_a_date_and_a_status(record: Path) -> None:
    """Its name is a number of four digits and words; then come decision and consequences."""
    assert re.fullmatch(r"\d{4}(-[a-z0-9]+)+\.md", record.name)
    _, date, status = head(record)
    assert datetime.date.fromisoformat(date)
    assert STATUS.fullmatch(status)
    text = record.read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections[0] == "Context"
    assert {"Decision", "Consequences"} <= set(sections)


def test_numbers_are_unique() -> None:
    """A number names one record."""
    numbers = [record.name[:4] for record in RECORDS]
    assert len(numbers) == len(set(numbers))


def test_the_index_lists_every_record() -> None:
    """Each row has the number, title, date and status of its record, in order."""
    assert ROW.findall(INDEX) == [
        (str(int(record.name[:4])), record.name, *head(record)) for record in RECORDS
    ]
