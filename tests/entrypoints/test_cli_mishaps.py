"""The command line where the world does not help: full disks, closed pipes, Ctrl-C, odd locales."""

import errno
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaign_workers import __main__ as command
from campaign_workers.entrypoints.cli import BAD_INPUT, FAILED, INTERRUPTED, run
from campaign_workers.samples import uploads


def no_room() -> OSError:
    """What a full disk raises; a new one each time, because whoever catches it may name a file."""
    return OSError(errno.ENOSPC, "No space left on device")


class Full(io.StringIO):
    """A standard output on a disk that is full."""

    def flush(self) -> None:
        """Say so."""
        raise no_room()


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """The uploads of a small campaign."""
    uploads.generate(tmp_path / "uploads", fans=20, seed=1)
    return tmp_path / "uploads"


def test_debug_changes_what_is_told_and_not_how_it_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`--debug` adds a traceback to bad input, whose status stays 2."""
    assert run(["run", "nope", "--debug"]) == BAD_INPUT
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert told.splitlines()[-1].startswith("campaign-workers: nope: unknown worker")


def test_a_full_disk_is_a_failed_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No other argument makes room, so the status is 1; there is one line and no traceback."""
    monkeypatch.setattr(sys, "stdout", Full())
    assert run(["seed", "new"]) == FAILED
    monkeypatch.undo()
    assert capsys.readouterr().err == "campaign-workers: output: No space left on device\n"


def test_a_file_that_found_no_room_is_named(
    made_up: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk that fills up while uploads are made leaves whole files alone, and is told of."""
    before = (made_up / "scored.txt").read_bytes()

    def full(*_: object) -> Iterator[tuple[str, ...]]:
        yield ("globalUserId",)
        raise no_room()

    monkeypatch.setattr(uploads, "_scored_rows", full)
    assert run(["generate", str(made_up), "--fans", "30"]) == FAILED
    assert f"{made_up / 'scored.txt'}: No space left" in capsys.readouterr().err
    assert (made_up / "scored.txt").read_bytes() == before
    assert not list(made_up.glob(".*"))


def test_an_interrupted_command_says_so(
    made_up: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C in the middle of a command ends it with one line and status 130."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(uploads, "_ranks", interrupt)
    assert run(["generate", str(made_up)]) == INTERRUPTED
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(made_up.glob(".*"))


def test_ctrl_c_is_quiet_while_libraries_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stops a command before it has begun sees no traceback either."""
    monkeypatch.setitem(sys.modules, "campaign_workers.entrypoints", _Interrupting("entrypoints"))
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == INTERRUPTED


class _Interrupting(type(sys)):  # type: ignore[misc]
    """A module whose loading is interrupted."""

    def __getattr__(self, name: str) -> object:
        raise KeyboardInterrupt


def test_results_are_utf_8_in_every_locale(tmp_path: Path) -> None:
    """A terminal that knows ASCII alone gets the bytes of the file's name."""
    name = tmp_path / "Zoë"
    made = subprocess.run(
        [sys.executable, "-m", "campaign_workers", "generate", name, "--fans", "1", "--json"],
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
        capture_output=True,
        check=True,
    )
    assert json.loads(made.stdout)["folder"] == str(name)


def test_uploads_of_somebody_are_never_overwritten(
    made_up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`generate` replaces what it made, and no campaign of anybody else."""
    assert run(["generate", str(made_up), "--fans", "10"]) == 0
    document = made_up / "campaign.json"
    document.write_text(document.read_text().replace("World Tour", "My Tour"))
    before = {path: path.read_bytes() for path in made_up.iterdir()}
    capsys.readouterr()
    assert run(["generate", str(made_up)]) == BAD_INPUT
    assert "not empty, and not written by this command" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in made_up.iterdir()}


@pytest.mark.parametrize("out", [".", "uploads"])
def test_a_campaign_never_clears_its_own_uploads_away(
    made_up: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    """An `--out` that holds the uploads is refused, even one that an earlier campaign filled."""
    place = made_up.parent / out
    (place / ".campaign-workers").touch()
    assert run(["campaign", str(made_up), "--out", str(place)]) == BAD_INPUT
    assert "contains the uploads folder" in capsys.readouterr().err
    assert (made_up / "scored.txt").exists()


def test_what_lies_behind_a_link_is_not_an_earlier_campaign(made_up: Path) -> None:
    """Clearing `--out` removes links and never what they point to."""
    elsewhere, out = made_up.parent / "elsewhere", made_up.parent / "out"
    elsewhere.mkdir()
    (elsewhere / "thesis.txt").write_text("years of work")
    out.mkdir()
    (out / ".campaign-workers").touch()
    (out / "link").symlink_to(elsewhere)
    (out / "old.txt").touch()
    assert run(["campaign", str(made_up), "--out", str(out)]) == 0
    assert (elsewhere / "thesis.txt").read_text() == "years of work"
    assert not (out / "link").exists()
    assert not (out / "old.txt").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("campaign.json", "[]", "campaign.json: expected a JSON object"),
        ("campaign.json", "[" * 100_000, "campaign.json, line 1: not JSON"),
        ("campaign.json", '{"_id": 7}', "campaign.json, _id"),
        ("market-details.csv", "marketId\n", "market-details.csv, line 1, marketName"),
        ("registrations.jsonl", "\n\n", "registrations.jsonl: no registrations"),
        (
            "registrations.jsonl",
            "{}\n{}\n",
            "registrations.jsonl: no record has a valid",
        ),
    ],
)
def test_what_is_wrong_with_uploads_is_told_in_their_own_names(
    made_up: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, said: str
) -> None:
    """The operator knows the file of the folder, not the key under which it was uploaded."""
    (made_up / name).write_text(content)
    assert run(["campaign", str(made_up), "--out", str(made_up.parent / "out")]) == BAD_INPUT
    assert f"campaign-workers: {made_up}/{said}" in capsys.readouterr().err


def test_work_given_up_on_is_told_in_the_names_of_the_uploads(
    made_up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A scored file that no worker can read is named as the operator knows it."""
    (made_up / "scored.txt").write_text("score\n1\n")
    assert run(["campaign", str(made_up), "--out", str(made_up.parent / "out")]) == FAILED
    said = f"processScoredFiles gave up on {made_up}/scored.txt: BadInput: {made_up}/scored.txt"
    assert said in capsys.readouterr().out


def test_a_date_of_another_age_does_not_move_the_calendar(tmp_path: Path) -> None:
    """One record from the year 2999 comes in with its neighbour instead of a thousand years on."""
    lines = [
        '{"created": "1970-01-01T00:00:00Z"}',
        '{"created": "2026-09-01T00:00:00Z"}',
        '{"created": "2999-09-01T00:00:00Z"}',
        '{"created": "2026-09-03T00:00:00Z"}',
    ]
    (tmp_path / "registrations.jsonl").write_text("\n".join(lines))
    days = cli_days(tmp_path)
    assert days == [("2026-09-01", 3), ("2026-09-03", 1)]


def cli_days(folder: Path) -> list[tuple[str, int]]:
    """The days of the registrations in a folder, each with its number of lines."""
    from campaign_workers.entrypoints.cli.uploads import Uploads

    return [(f"{day:%Y-%m-%d}", len(lines)) for day, lines in Uploads(folder).registration_days()]


@pytest.mark.parametrize("limit", ["-1", "x"])
def test_a_limit_below_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: str
) -> None:
    """`lake cat` takes a number of records, and says so."""
    assert run(["lake", "cat", str(tmp_path), f"--limit={limit}"]) == BAD_INPUT
    assert "--limit" in capsys.readouterr().err
