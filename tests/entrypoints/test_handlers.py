"""The fifteen handlers: light to import, wired once, and free of personal data."""

import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from campaign_workers.domain.errors import BadInput, CampaignError
from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.domain.wire import to_snake
from campaign_workers.entrypoints import handlers, save_campaign_data, save_stats
from campaign_workers.entrypoints.invocations import UnexpectedError
from tests.entrypoints.envelopes import load_event
from tests.entrypoints.functions import Function
from tests.entrypoints.test_envelopes import EVERY

ALONE: Final = """
import socket, sys

def refused(*args, **kwargs):
    raise AssertionError("reaches for the network")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refused
for library in {blocked!r}:
    sys.modules[library] = None
for worker in {workers!r}:
    module = __import__("campaign_workers.entrypoints." + worker, fromlist=["handler"])
    assert callable(module.handler)
"""
BLOCKED: Final = (
    "aws_kinesis_agg", "aws_lambda_powertools", "boto3", "botocore", "dependency_injector",
    "fastavro", "httpx", "opentelemetry", "polars", "pymongo",
)  # fmt: skip


def test_importing_all_handlers_does_nothing(tmp_path: Path) -> None:
    """Importing uses no network, no optional library, no environment, no file and no output."""
    code = ALONE.format(blocked=BLOCKED, workers=[to_snake(worker) for worker in WORKERS])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Select the profile `memory` for this process."""
    monkeypatch.setenv("CAMPAIGN_WORKERS_PROFILE", "memory")
    handlers._container_for.cache_clear()
    yield
    handlers._container_for.cache_clear()


@pytest.mark.usefixtures("in_memory")
def test_a_process_has_one_container(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All handlers share it until a setting changes."""
    first = save_campaign_data.handler(load_event("kinesis"), None)
    container = handlers.process_container()
    [key] = first["files"]
    assert container.lake.head(key).size > 0
    assert save_stats.handler({}, None)["count"]["in"] == 0
    assert handlers.process_container() is container
    monkeypatch.setenv("CAMPAIGN_WORKERS_AVRO_CODEC", "null")
    assert handlers.process_container() is not container
    assert handlers.process_container().settings.avro_codec == "null"
    monkeypatch.delenv("CAMPAIGN_WORKERS_AVRO_CODEC")
    assert handlers.process_container() is container
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("in_memory")
def test_a_wrong_setting_is_reported_at_the_first_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """An invalid setting is reported at the first event, not at import."""
    monkeypatch.setenv("CAMPAIGN_WORKERS_TEXTS_IN_FLIGHT", "0")
    with pytest.raises(BadInput, match="CAMPAIGN_WORKERS_TEXTS_IN_FLIGHT"):
        save_stats.handler({}, None)


TELLING: Final = re.compile(
    r"fan\d@|example\.org|user-\d|\bg-\d|CODE\d|\+1\d{10}|K7Q2M4XZ|Ada|Lovelace"
)
"""Personal values in the events of these tests; no log, metric or error may contain them."""

POISON: Final = (
    b"",
    b"\xff\xfe",
    b"fan9@example.org",
    b'["fan9@example.org"]',
    b'{"type": "fan9@example.org"}',
    b'{"type": "registration", "email": "fan9@example.org", "phone": "+14155550123"}',
    b'{"type": "codeAssignment", "code": "K7Q2M4XZ", "globalUserId": 7}',
    b'{"type": "codeAssignment", "code": "K7Q2M4XZ", "globalUserId": "g-9", "created": "Ada"}',
    b'{"type": "selectionRefresh", "globalUserId": "g-9"}',
    b'{"type": "registration", "K7Q2M4XZ": ' + b"[" * 2_000,
)


def output_of(function: Function, worker: str, event: Any) -> str:
    """Return all output of a function: log, metrics and the error."""
    try:
        function.invoke(worker, event)
    except (CampaignError, UnexpectedError) as error:
        return f"{error!r} {error} {function.log.getvalue()} {function.figures()}"
    return f"{function.log.getvalue()} {function.figures()}"


@pytest.mark.parametrize(("worker", "name"), EVERY)
def test_no_event_is_quoted(function: Function, worker: str, name: str) -> None:
    """Neither a report nor an error contains codes or fans."""
    found = output_of(function, worker, load_event(name))
    assert worker in found or load_event(name).get("Event")
    assert not TELLING.search(found)


@pytest.mark.parametrize(
    "worker", ["saveCampaignData", "transformCodeAssignments", "saveSelection"]
)
def test_no_poison_is_quoted(function: Function, worker: str) -> None:
    """A malformed record is rejected with a reason that does not quote it."""
    event = load_event("kinesis")
    pattern = event["Records"][0]
    event["Records"] = [
        {**pattern, "kinesis": {**pattern["kinesis"], "data": b64encode(data).decode(),
                                "sequenceNumber": str(number)}}
        for number, data in enumerate(POISON, 1)
    ]  # fmt: skip
    found = output_of(function, worker, event)
    assert f"{worker} is done" in found
    assert not TELLING.search(found)


def test_no_row_is_quoted(function: Function) -> None:
    """Neither a valid nor an invalid file is quoted."""
    header = "globalUserId\temail\tphone\tscore\tcampaignId\n"
    for content in (
        header + "g-1\tfan1@example.org\t+14155550123\t0.5\tsummer-tour\n",
        header + 'g-1\t"fan1@example.org\t+14155550123\n',
        "fan1@example.org\t+14155550123\n",
    ):
        function.container.scoring.put("scored/summer-tour.1.txt", [content.encode()])
        event = load_event("s3-versioned")
        del event["Records"][0]["s3"]["object"]["eTag"]
        found = output_of(function, "processScoredFiles", event)
        assert "processScoredFiles failed" in found
        assert not TELLING.search(found)


def test_logs_of_workers_are_json_too(function: Function) -> None:
    """Log lines of a worker are JSON and have the keys of its call."""
    event = load_event("kinesis-selections")
    event["Records"][0]["kinesis"]["data"] = "e30="
    function.invoke("saveSelection", event)
    said = [line for line in function.lines() if "rejected a record" in line["message"]]
    assert {line["level"] for line in said} == {"WARNING"}
    for line in said:
        assert line["worker"] == "saveSelection"
        assert line["correlation_id"].startswith("shardId-000000000000:")
