"""`select` and `verify-audit` on files."""

import json
from pathlib import Path

import polars as pl
import pytest

from campaign_workers.entrypoints.cli import run

CANDIDATES = """globalUserId,score,marketIds,verdict,campaignId
a,0.9,x|y,1,k
b,0.8,x,1,k
c,0.7,x|y,1,k
d,0.95,x,0,k
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with candidates and quotas."""
    (tmp_path / "candidates.csv").write_text(CANDIDATES)
    (tmp_path / "quotas.csv").write_text("marketId,limit\nx,1\ny,1\n")
    return tmp_path


def select(files: Path, *more: str, candidates: str = "candidates.csv") -> int:
    """Run `select` on the files of a folder."""
    return run(
        [
            *("select", "--candidates", str(files / candidates)),
            *("--quotas", str(files / "quotas.csv"), "--out", str(files / "out")),
            *("--seed", "s", "--campaign-id", "k", *more),
        ]
    )


def verify(files: Path, *more: str) -> int:
    """Run `verify-audit` on the files of a folder."""
    return run(
        [
            *("verify-audit", str(files / "out" / "audit.json")),
            *("--candidates", str(files / "candidates.csv")),
            *("--quotas", str(files / "quotas.csv")),
            *("--picks", str(files / "out" / "picks.csv"), *(more or ("--seed", "s"))),
        ]
    )


def test_the_best_fans_get_their_first_choice(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Picks are written in the market's order, best first."""
    assert select(files, "--json") == 0
    picks = (files / "out" / "picks.csv").read_text().splitlines()
    assert picks == [
        "globalUserId,marketId,preferenceRank,priority",
        "a,x,0,0.9",
        "c,y,1,0.7",
    ]
    assert json.loads(capsys.readouterr().out)["picks"] == 2


def test_picks_are_safe_to_open_and_read_back(files: Path) -> None:
    """An id that a spreadsheet would run is escaped in picks.csv and read back unchanged."""
    path = files / "candidates.csv"
    path.write_text(f"{CANDIDATES}'=cmd(),1,x,1,k\n''-guarded,0.99,y,1,k\n")
    select(files)
    picks = (files / "out" / "picks.csv").read_text().splitlines()
    assert picks[1:] == ["'=cmd(),x,0,1.0", "''-guarded,y,0,0.99"]
    assert verify(files) == 0


def test_blanks_around_ids_are_ignored(files: Path) -> None:
    """Blanks around an id are ignored."""
    (files / "candidates.csv").write_text(
        CANDIDATES.replace("a,0.9,x|y,1,k", " a ,0.9, x | y,1,k ")
    )
    (files / "quotas.csv").write_text("marketId,limit\nx ,1\n y,1\n")
    select(files)
    picks = (files / "out" / "picks.csv").read_text().splitlines()
    assert picks[1:] == ["a,x,0,0.9", "c,y,1,0.7"]
    assert verify(files) == 0


def test_a_row_without_a_raw_score_is_bounded_by_its_score(files: Path) -> None:
    """An empty rawScore falls back to score, not to bandScore."""
    path = files / "candidates.csv"
    path.write_text(
        "globalUserId,score,rawScore,bandScore,marketIds\na,0.3,,0.7,x\nb,0.3,0.6,0.5,y\n"
    )
    select(files, "--min-score", "0.5")
    picks = (files / "out" / "picks.csv").read_text().splitlines()
    assert picks[1:] == ["b,y,0,0.5"]


def test_a_selection_holds_as_long_as_nothing_is_changed(files: Path) -> None:
    """The audit of an untouched selection is confirmed."""
    select(files)
    assert verify(files) == 0


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("candidates.csv", "b,0.8", "b,0.9"),
        ("candidates.csv", "c,0.7,x|y", "c,0.7,y|x"),
        ("quotas.csv", "y,1", "y,2"),
        ("out/picks.csv", "a,x,0,0.9", "b,x,0,0.9"),
        ("out/picks.csv", "c,y,1,0.7", "c,y,1,0.8"),
    ],
)
def test_one_changed_byte_is_found(
    files: Path, capsys: pytest.CaptureFixture[str], name: str, before: str, after: str
) -> None:
    """A changed byte in any input file is detected."""
    select(files)
    changed = (files / name).read_text().replace(before, after)
    (files / name).write_text(changed)
    assert verify(files) == 1
    assert "does not hold" in capsys.readouterr().out


def test_another_seed_is_not_the_one_committed_to(files: Path) -> None:
    """The audit names the seed's commitment, so that no other seed passes."""
    select(files)
    assert verify(files, "--seed", "t") == 1


@pytest.mark.parametrize("suffix", [".parquet", ".avro", ".tsv"])
def test_candidates_come_in_several_formats(files: Path, suffix: str) -> None:
    """Parquet, Avro and TSV candidates are selected as CSV ones are."""
    select(files)
    expected = (files / "out" / "picks.csv").read_bytes()
    frame = pl.read_csv(files / "candidates.csv")
    lists = frame.with_columns(pl.col("marketIds").str.split("|"))
    other = files / f"candidates{suffix}"
    if suffix == ".tsv":
        frame.write_csv(other, separator="\t")
    elif suffix == ".parquet":
        lists.write_parquet(other)
    else:
        frame.write_avro(other)
    assert select(files, candidates=other.name) == 0
    assert (files / "out" / "picks.csv").read_bytes() == expected


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("candidates.csv", "", "candidates.csv: expected a header"),
        ("candidates.csv", "globalUserId,score\n", "line 1, marketIds: missing"),
        ("candidates.csv", CANDIDATES.replace("0.8", "zz"), "line 3, score: expected a number"),
        (
            "candidates.csv",
            CANDIDATES.replace(",1,k", ",1,other", 1).replace("0.8", "zz"),
            "line 3, score: expected a number",
        ),
        ("candidates.csv", CANDIDATES.replace("x|y", "p|q|r|s|t"), "more than 4 markets"),
        ("candidates.csv", CANDIDATES + "a,0.1,x,1,k\n", "twice"),
        ("quotas.csv", "marketId,limit\nx,-1\n", "line 2, limit: expected a whole number"),
        ("quotas.csv", "marketId,limit\nx,1\nx,2\n", "quotas.csv, line 3, marketId: duplicate"),
        ("quotas.csv", "marketId\nx\n", "quotas.csv, line 1, limit: missing"),
    ],
)
def test_bad_files_are_named_with_their_place(
    files: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, said: str
) -> None:
    """Bad input ends with status 2 and one line; nothing is written."""
    (files / name).write_text(content)
    assert select(files) == 2
    message = capsys.readouterr().err
    assert said in message
    assert message.count("\n") == 1
    assert not (files / "out").exists()


def test_a_line_is_counted_as_an_editor_counts_it(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blank lines, line breaks in cells and rows of other campaigns do not shift the number."""
    (files / "quotas.csv").write_text('marketId,name,limit\n\nx,"a\nb",1\ny,c,many\n')
    assert select(files) == 2
    assert "quotas.csv, line 5, limit: expected a whole number" in capsys.readouterr().err
    (files / "quotas.csv").write_text("marketId,limit\nx,1\n")
    (files / "candidates.csv").write_text(CANDIDATES.replace("1,k\nb", "1,l\nb") + "b,1,x,1,k\n")
    assert select(files) == 2
    assert "candidates.csv, line 3, globalUserId: occurs twice" in capsys.readouterr().err


def test_a_row_of_a_file_without_lines_is_counted(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parquet has rows and no lines."""
    rows = {"globalUserId": ["a", "a"], "score": [1.0, 0.5], "marketIds": [["x"], ["x"]]}
    pl.DataFrame(rows).write_parquet(files / "candidates.parquet")
    assert select(files, candidates="candidates.parquet") == 2
    assert "candidates.parquet, row 1, globalUserId: occurs twice" in capsys.readouterr().err


def test_another_delimiter_is_named(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file saved with semicolons gets an error that names the separator."""
    (files / "quotas.csv").write_text("marketId;limit\nx;1\n")
    assert select(files) == 2
    assert "line 1, marketId, limit: missing" in (said := capsys.readouterr().err)
    assert "separated by commas" in said


def test_an_audit_is_read_as_every_file_is(files: Path) -> None:
    """A byte order mark, which some editors add, changes nothing."""
    select(files)
    audit = files / "out" / "audit.json"
    audit.write_bytes(b"\xef\xbb\xbf" + audit.read_bytes())
    assert verify(files) == 0


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"[" * 100_000, 2, "audit.json, line 1: not JSON"),
        (b"\xff\xfe", 2, "audit.json: not UTF-8"),
        (b"{}", 1, "the selection does not hold"),
        (b'{"format": 1, "options": {"campaignId": 5}}', 1, "expected the options of a selection"),
    ],
)
def test_an_invalid_audit_fails(
    files: Path, capsys: pytest.CaptureFixture[str], content: bytes, status: int, said: str
) -> None:
    """An invalid audit fails verification without an unexpected error."""
    select(files)
    (files / "out" / "audit.json").write_bytes(content)
    capsys.readouterr()
    assert verify(files) == status
    assert said in "".join(capsys.readouterr())


def test_an_audit_with_a_campaign_of_another_type_does_not_hold(files: Path) -> None:
    """A number in place of the campaign's id is a difference like any other."""
    select(files)
    audit = files / "out" / "audit.json"
    audit.write_text(audit.read_text().replace('"campaignId": "k"', '"campaignId": 5'))
    assert verify(files) == 1


def test_without_the_seed_a_note_says_what_was_compared(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Equal fingerprints alone do not prove that the right fans were picked."""
    select(files)
    capsys.readouterr()
    assert verify(files, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"holds": True, "redrawn": False, "differences": []}
    assert verify(files, "--debug") == 0
    assert "without the seed" in capsys.readouterr().out
    assert verify(files) == 0
    assert "without the seed" not in capsys.readouterr().out
