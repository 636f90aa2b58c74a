"""The command `campaign-workers services`."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from socket import socket

import httpx
import pytest

from campaign_workers.adapters.http.user import HttpUserService
from campaign_workers.container import Container
from campaign_workers.entrypoints.cli import run
from campaign_workers.settings import Settings
from tests.contracts.http_worlds import secrets


def test_services_run_until_interrupted(tmp_path: Path) -> None:
    """The doubles serve the data of a folder, inject faults, and stop on Ctrl-C with status 0."""
    Container("local", settings=Settings(dir=tmp_path)).embedded.users.put("g1", "u1")
    command = [sys.executable, "-m", "campaign_workers", "services", "--json", "--port", "0"]
    options = ["--dir", str(tmp_path), "--token", "mine", "--share", "error=503:0.3", "--seed", "3"]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr
        lines = [process.stderr.readline() for _ in range(8)]
        url = next(found[1] for line in lines if (found := re.match(r"user +(\S+)", line)))
        with HttpUserService(url, secrets("mine")) as users:
            assert [users.user_ids(["g1", f"g{n}"]) for n in range(2, 12)] == [{"g1": "u1"}] * 10
    finally:
        process.send_signal(signal.SIGINT)
        result, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert '"user": {"error": ' in result


def test_injected_faults_are_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The result has the number of injected faults by service and kind."""
    addresses: dict[str, str] = {}
    place = "campaign_workers.entrypoints.cli.services"
    monkeypatch.setattr(f"{place}._print_addresses", addresses.update)
    monkeypatch.setattr(
        f"{place}._wait_until_stopped",
        lambda: httpx.get(f"{addresses['campaign']}/campaigns/tour", trust_env=False),
    )
    assert run(["services", "--port", "0", "--share", "error=502:1"]) == 0
    assert re.search(r"campaign\W+error\W+1\b", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--dir", "/nowhere"], "/nowhere: no such folder"),
        (["--port", "70000"], "--port"),
        (["--share", "flood:0.2"], "unknown fault"),
        (["--share", "reset"], "--share"),
        (["--share", "reset:lots"], "--share"),
        (["--share", "reset:2"], "shares"),
    ],
)
def test_invalid_options_are_refused(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Invalid options end with one line and status 2."""
    assert run(["services", *argv]) == 2
    output = capsys.readouterr().err
    assert message in output
    assert output.count("\n") == 1


def test_a_port_in_use_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A port that is in use ends with status 2 and a remedy."""
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["services", "--port", str(taken.getsockname()[1])]) == 2
    assert "choose another one" in capsys.readouterr().err
