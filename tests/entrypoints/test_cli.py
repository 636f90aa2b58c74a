"""The command line as a user sees it."""

import hashlib
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from cyclopts import App

from campaign_workers import __version__
from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.entrypoints.cli import COMMANDS, app, run
from campaign_workers.entrypoints.cli.uploads import Uploads, partition_key

REGISTRATION = {
    "type": "registration",
    "campaignId": "k",
    "userId": "u1",
    "globalUserId": "g1",
    "email": "fan@gmail.com",
    "marketIds": ["x"],
    "optInEmail": True,
    "optInSms": False,
    "created": "2026-09-01T00:00:00Z",
}


@pytest.mark.parametrize(
    ("argv", "typed", "said"),
    [
        (["run", "saveStats", "--event"], "{}", '"rejected": 0'),
        (["seed", "commit"], "seed\n", hashlib.sha256(b"seed").hexdigest()),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_a_hyphen_is_standard_input(
    argv: list[str], typed: str, said: str, named: bool, tmp_path: Path
) -> None:
    """`-`, or no argument, reads standard input."""
    words = [word for word in argv if named or word != "--event"]
    command = [sys.executable, "-m", "campaign_workers", *words, *(["-"] if named else [])]
    done = subprocess.run(
        command, input=typed, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS])
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command has a help page."""
    assert run([name, "--help"]) == 0
    assert name in capsys.readouterr().out


@pytest.mark.parametrize(("name", "place", "purpose"), COMMANDS)
def test_a_command_is_listed_as_it_describes_itself(name: str, place: str, purpose: str) -> None:
    """The list of commands, which imports none of them, repeats their summaries."""
    module, _, attribute = place.partition(":")
    described = getattr(import_module(f"campaign_workers.entrypoints.cli.{module}"), attribute)
    page = described.help if isinstance(described, App) else described.__doc__
    assert page.splitlines()[0] == purpose, name


def test_the_help_of_run_names_every_worker(capsys: pytest.CaptureFixture[str]) -> None:
    """The names can be looked up without an error message."""
    assert run(["run", "--help"]) == 0
    page = capsys.readouterr().out
    assert [worker for worker in WORKERS if worker not in page] == []


def test_the_page_of_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command, the help lists all of them."""
    assert run([]) == 0
    page = capsys.readouterr().out
    assert all(name in page for name, _, _ in COMMANDS)
    assert app.version == __version__


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["nope"], "nope"),
        (["select"], "--candidates"),
        (["run", "nope"], "unknown worker"),
        (["put", "/nowhere", "scored/a.txt"], "/nowhere: no such file"),
        (["campaign", "/nowhere", "--out", "/tmp/x"], "/nowhere: no such folder"),
        (["lake", "count", "/nowhere"], "/nowhere: no such file or folder"),
        (["report", "--dir", "/nowhere"], "no campaign ran in this folder"),
        (["generate", "/tmp/x", "--fans", "0"], "--fans"),
        (["demo", "--fans", "-1"], "--fans"),
        (["put-records", "/nowhere", "--stream", "x"], "unknown stream"),
    ],
)
def test_bad_input_ends_with_status_2_and_one_line(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Problem and remedy are one line without a traceback."""
    assert run(argv) == 2
    message = capsys.readouterr().err
    assert said in message
    assert message.count("\n") == 1


def test_a_new_seed_comes_with_its_commitment(capsys: pytest.CaptureFixture[str]) -> None:
    """A seed has 256 bits, and its commitment is what `sha256sum` prints."""
    assert run(["seed", "new", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert len(bytes.fromhex(made["seed"])) == 32
    assert made["commitment"] == hashlib.sha256(made["seed"].encode()).hexdigest()
    assert run(["seed", "commit", made["seed"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["commitment"] == made["commitment"]


def test_records_that_are_put_come_to_the_lake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`put-records` runs the stream's consumers; `lake` shows what they stored."""
    lines = tmp_path / "records.jsonl"
    lines.write_text(json.dumps(REGISTRATION) + "\n{not json\n")
    folder = str(tmp_path / "data")
    assert run(["put-records", str(lines), "--dir", folder, "--json"]) == 0
    [ran] = json.loads(capsys.readouterr().out)["runs"]
    assert ran["count"] == {"in": 2, "out": 1, "rejected": 1, "duplicates": 0}
    assert run(["lake", "count", folder, "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert row == {"place": "lake", "type": "registration", "files": 1, "records": 1}
    assert run(["lake", "cat", folder]) == 0
    assert json.loads(capsys.readouterr().out)["globalUserId"] == "g1"
    assert run(["lake", "ls", folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["records"] == 1


def test_started_runs_are_shown_in_a_row_per_worker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All batches of a worker are one row; a note says if nothing ran."""
    lines = tmp_path / "records.jsonl"
    records = ({**REGISTRATION, "userId": f"u{number}"} for number in range(1500))
    lines.write_text("".join(json.dumps(record) + "\n" for record in records))
    folder = str(tmp_path / "data")
    assert run(["put-records", str(lines), "--dir", folder]) == 0
    told = capsys.readouterr().out
    assert told.count("saveCampaignData") == 1
    assert "in 1,500" in told
    assert run(["put", str(lines), "elsewhere/records.jsonl", "--dir", folder]) == 0
    assert "nothing ran" in capsys.readouterr().out


def test_one_worker_runs_on_an_event_of_aws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`run` takes the payload of an invocation and prints the report."""
    event = tmp_path / "event.json"
    event.write_text('{"inputPrefix": "2026/09/01"}')
    argv = ["run", "mergeAvroFiles", "--event", str(event), "--dir", str(tmp_path / "data")]
    assert run([*argv, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "nothing there"
    event.write_text("{")
    assert run(argv) == 2
    assert "not JSON" in capsys.readouterr().err


def test_an_unexpected_error_shows_no_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message of an unexpected error may contain a value, so only its class is shown."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("+12125550123")

    monkeypatch.setattr("campaign_workers.entrypoints.cli.selection.secrets.token_hex", fail)
    assert run(["seed", "new"]) == 1
    message = capsys.readouterr().err
    assert "RuntimeError" in message
    assert "+1212" not in message


def test_days_of_registrations_never_go_back(tmp_path: Path) -> None:
    """A line without a date has that of the line above; time never goes back."""
    lines = ['{"created": "2026-09-02T00:00:00Z"}', "{nope", '{"created": "2026-09-01T00:00:00Z"}']
    (tmp_path / "registrations.jsonl").write_text("\n".join(["early", *lines]))
    [(day, found)] = Uploads(tmp_path).registration_days()
    assert f"{day:%Y-%m-%d}" == "2026-09-02"
    assert len(found) == 4


def test_a_line_without_a_fan_still_has_a_partition_key() -> None:
    """Every line can be put; workers downstream reject invalid ones."""
    assert partition_key(b'{"globalUserId": "g1"}') == "g1"
    assert partition_key(b'{"globalUserId": null}')
    assert partition_key(b"") == "line-0"
