"""The command line on full disks, closed pipes, Ctrl-C and unusual locales."""

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
    """Return the error of a full disk; a new one each time, as a handler may add the file name."""
    return OSError(errno.ENOSPC, "No space left on device")


class Full(io.StringIO):
    """A standard output on a full disk."""

    def flush(self) -> None:
        """Raise the error of a full disk."""
        raise no_room()


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """The uploads of a small campaign."""
    uploads.generate(tmp_path / "uploads", fans=20, seed=1)
    return tmp_path / "uploads"


def test_debug_adds_a_traceback_and_keeps_the_status(
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
    """No other argument would help, so the status is 1, with one line and no traceback."""
    monkeypatch.setattr(sys, "stdout", Full())
    assert run(["seed", "new"]) == FAILED
    monkeypatch.undo()
    assert capsys.readouterr().err == "campaign-workers: output: No space left on device\n"


def test_the_file_on_a_full_disk_is_named(
    made_up: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk that fills up leaves complete files alone and is reported."""
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
    """Ctrl-C before a command starts prints no traceback either."""
    monkeypatch.setitem(sys.modules, "campaign_workers.entrypoints", _Interrupting("entrypoints"))
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == INTERRUPTED


class _Interrupting(type(sys)):  # type: ignore[misc]
    """A module whose loading is interrupted."""

    def __getattr__(self, name: str) -> object:
        raise KeyboardInterrupt


def test_results_are_utf_8_in_every_locale(tmp_path: Path) -> None:
    """An ASCII terminal gets the UTF-8 bytes of the file name."""
    name = tmp_path / "Zoë"
    made = subprocess.run(
        [sys.executable, "-m", "campaign_workers", "generate", name, "--fans", "1", "--json"],
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
        capture_output=True,
        check=True,
    )
    assert json.loads(made.stdout)["folder"] == str(name)


def test_uploads_that_were_edited_are_never_overwritten(
    made_up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`generate` replaces its own uploads and no others."""
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
    """An `--out` that contains the uploads is refused, even if an earlier campaign wrote to it."""
    place = made_up.parent / out
    (place / ".campaign-workers").touch()
    assert run(["campaign", str(made_up), "--out", str(place)]) == BAD_INPUT
    assert "contains the uploads folder" in capsys.readouterr().err
    assert (made_up / "scored.txt").exists()


def test_the_target_of_a_link_is_not_cleared(made_up: Path) -> None:
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
def test_errors_name_the_uploaded_files(
    made_up: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, said: str
) -> None:
    """Errors name the file in the folder, not the object key."""
    (made_up / name).write_text(content)
    assert run(["campaign", str(made_up), "--out", str(made_up.parent / "out")]) == BAD_INPUT
    assert f"campaign-workers: {made_up}/{said}" in capsys.readouterr().err


def test_dead_letters_name_the_uploaded_files(
    made_up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dead letter names the scored file in the folder."""
    (made_up / "scored.txt").write_text("score\n1\n")
    assert run(["campaign", str(made_up), "--out", str(made_up.parent / "out")]) == FAILED
    said = f"processScoredFiles gave up on {made_up}/scored.txt: BadInput: {made_up}/scored.txt"
    assert said in capsys.readouterr().out


def test_an_implausible_date_does_not_move_the_clock(tmp_path: Path) -> None:
    """A record from the year 2999 has the date of the line above."""
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
    """Return each day of the registrations in a folder with its number of lines."""
    from campaign_workers.entrypoints.cli.uploads import Uploads

    return [(f"{day:%Y-%m-%d}", len(lines)) for day, lines in Uploads(folder).registration_days()]


@pytest.mark.parametrize("limit", ["-1", "x"])
def test_a_negative_limit_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: str
) -> None:
    """`lake cat` takes a number of records from 0."""
    assert run(["lake", "cat", str(tmp_path), f"--limit={limit}"]) == BAD_INPUT
    assert "--limit" in capsys.readouterr().err
