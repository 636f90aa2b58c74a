"""`demo` and what it leaves: the same bytes every time, an audit that holds, a report."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from campaign_workers.entrypoints.cli import run

FANS = "250"


def files_under(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a small demo ran."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    assert run(["demo", "--fans", FANS, "--out", str(folder)]) == 0
    return folder / "campaign"


def page_of(out: Path) -> str:
    """The report of a campaign; the drawing library counts its clips through a process."""
    return re.sub(r"clip\d+", "clip", (out / "report.html").read_text())


def verify(out: Path, audit: Path, picks: Path | None = None) -> int:
    """Exit status of `verify-audit` on the selection of a demo."""
    folder = out / "selection"
    return run(
        [
            *("verify-audit", str(audit)),
            *("--candidates", str(folder / "candidates.csv")),
            *("--quotas", str(folder / "quotas.csv")),
            *("--picks", str(picks or folder / "picks.csv"), "--seed", "demo-7"),
        ]
    )


def test_the_same_seed_gives_the_same_bytes(out: Path, tmp_path: Path) -> None:
    """Scrubbed files, picks, audit and every other object are equal byte for byte."""
    assert run(["demo", "--fans", FANS, "--out", str(tmp_path / "out")]) == 0
    again = tmp_path / "out" / "campaign"
    for folder in ("scoring", "campaignData", "selection"):
        assert files_under(again / folder) == files_under(out / folder), folder
    assert page_of(again) == page_of(out)


def test_a_demo_replaces_an_earlier_one_and_nothing_else(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with other files is not changed."""
    strangers = out.parent.parent / "strangers"
    strangers.mkdir()
    (strangers / "thesis.txt").write_text("years of work")
    assert run(["demo", "--fans", FANS, "--out", str(strangers)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert (strangers / "thesis.txt").read_text() == "years of work"


def test_the_selection_of_the_campaign_can_be_verified(out: Path, tmp_path: Path) -> None:
    """The audit in the archive holds for the evidence, and for no other picks."""
    audit = out / "selection" / "audit.json"
    assert verify(out, audit) == 0
    picks = (out / "selection" / "picks.csv").read_text()
    other = tmp_path / "picks.csv"
    other.write_text(re.sub(r"g-\d{7}", "g-9999999", picks, count=1))
    assert verify(out, audit, other) == 1


def test_the_lake_holds_what_the_workers_reported(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`lake count` finds the records that the report's workers stored."""
    assert run(["lake", "count", str(out), "--json"]) == 0
    counted: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    lake = sum(row["records"] for row in counted if row["place"] == "lake")
    page = (out / "report.html").read_text()
    told = re.search(r"saveCampaignData</th>.*?out ([\d,]+)", page)
    assert told is not None
    assert int(told[1].replace(",", "")) == lake


def test_every_rejected_record_has_its_reason(out: Path) -> None:
    """What was turned away is kept, line by line, with why."""
    kept = [
        json.loads(line)
        for path in (out / "campaignData" / "rejected").rglob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert all(line["reason"] and ("data" in line or "base64" in line) for line in kept)


def test_the_report_needs_nothing_else(out: Path) -> None:
    """One file: no script, nothing fetched, every section there."""
    page = (out / "report.html").read_text()
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"?https?:", page.replace('xmlns="http', ""))
    for title in (
        "registered",
        "Demand and places",
        "Why rows were tagged",
        "Waves",
        "Reconciliation",
    ):
        assert title in page


def test_the_report_can_be_read_without_seeing_it(out: Path) -> None:
    """Each picture is one image with its figures in words; each column and row has a heading."""
    page = (out / "report.html").read_text()
    pictures = re.findall(r"<svg [^>]*>", page)
    assert len(pictures) == 4
    assert all('role="img" aria-label="' in picture for picture in pictures)
    assert f'aria-label="registered {int(FANS):,}, scored' in page
    assert page.count("<tr><td") == 0


def test_the_report_has_no_colour_of_its_own_in_a_picture(out: Path) -> None:
    """Pictures take the page's colours, which are others in the dark and on paper."""
    page = (out / "report.html").read_text()
    pictures = "".join(re.findall(r"<svg .*?</svg>", page, flags=re.DOTALL))
    assert re.findall(r"#[0-9a-f]{3,8}\b", pictures) == []
    used = set(re.findall(r"var\((--\w+)\)", pictures))
    for scheme in ("dark", "print"):
        rules = page.partition(scheme)[2]
        assert [name for name in used if f"{name}:" not in rules] == [], scheme


def test_the_report_explains_how_to_check_the_draw(out: Path) -> None:
    """The commitment stands there, with the command that draws again."""
    page = (out / "report.html").read_text()
    audit = json.loads((out / "selection" / "audit.json").read_text())
    assert audit["seedCommitment"] in page
    assert "campaign-workers verify-audit" in page


def test_a_campaign_that_came_to_nothing_has_a_report_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing scored, selected or sent is said, and the page is drawn all the same."""
    uploads, out = tmp_path / "uploads", tmp_path / "out"
    assert run(["generate", str(uploads), "--fans", "10"]) == 0
    (uploads / "scored.txt").write_text("score\n1\n")
    (uploads / "market-details.csv").write_text("marketId\n")
    assert run(["campaign", str(uploads), "--out", str(out)]) == 2
    assert run(["report", "--dir", str(out)]) == 0
    page = (out / "report.html").read_text()
    assert page.count("Not yet.") == 5
    assert 'class="wrong" href="#reconciliation"' in page


def test_the_report_counts_fans_and_not_rows(out: Path, tmp_path: Path) -> None:
    """Fans whose scores came in two files are as many as before."""
    again = tmp_path / "out"
    shutil.copytree(out, again)
    [scrubbed] = (again / "scoring" / "scrubbed").glob("*.csv")
    assert run(["put", str(scrubbed), "scrubbed/again.csv", "--dir", str(again)]) == 0
    assert run(["report", "--dir", str(again)]) == 0
    tiles = re.compile(r"<li>.*?</li>")
    assert tiles.findall(page_of(again)) == tiles.findall(page_of(out))


def test_the_report_can_be_built_again(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`report` generates the same page from the folder."""
    before = page_of(out)
    assert run(["report", "--dir", str(out)]) == 0
    assert "report.html" in capsys.readouterr().out
    assert page_of(out) == before
