"""All logs of a function are JSON and contain no personal data."""

import json
import logging
import sys
from io import StringIO
from typing import Any, Final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.entrypoints.logs import MASK, JsonLogs, mask_personal

OURS: Final = logging.getLogger("campaign_workers.workers.any")
THEIRS: Final = logging.getLogger("somebody.else")
PERSONAL: Final = (
    "ada.lovelace+tour@mail.example.co.uk",
    "+14155550123",
    "+44 20 7946 0958",
    "(415) 555-0123",
    "415-555-0123",
    "Bearer eyJhbGciOi.J9.x-y",
    "user:secret",
)
HARMLESS: Final = (
    "scored/summer-tour.20260914170000.txt",
    "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
    "arn:aws:states:us-east-1:123456789012:execution:sms-wave-step-fn:tour-0123456789abcdef",
    "059f36b4-87a3-44ab-83d2-661975830a7d",
    "2026-09-14T17:00:00.000+00:00",
    "1 + 14155550 = 2",
    "workers/save_selection.py:120 in __call__",
)


@attrs.frozen
class Written:
    """The output of the handlers."""

    logs: JsonLogs
    stream: StringIO

    def lines(self) -> list[dict[str, Any]]:
        """Each line, read."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def hand(self, text: str, *args: object, **facts: Any) -> None:
        """Hand a record to the handler that is there for libraries, and to no other."""
        record = logging.makeLogRecord(
            {
                "name": "somebody.else",
                "levelname": "ERROR",
                "levelno": logging.ERROR,
                "msg": text,
                "args": args,
                **facts,
            }
        )
        self.logs._library_handler.handle(record)


@pytest.fixture
def log(restore_logs: None) -> Written:
    """Install the handlers of a function."""
    stream = StringIO()
    return Written(JsonLogs(stream), stream)


def test_all_loggers_write_json(log: Written) -> None:
    """This package and libraries log each line once, as JSON, in UTC."""
    OURS.info("a record was rejected, see %s", "rejected/x.jsonl")
    THEIRS.info("nobody asked")
    THEIRS.warning("slow: %d s", 7)
    ours, theirs = log.lines()
    assert ours["location"].startswith("campaign_workers.workers.any:")
    assert ours["message"] == "a record was rejected, see rejected/x.jsonl"
    assert theirs["message"] == "slow: 7 s"
    for line in (ours, theirs):
        assert line["service"] == "campaign_workers"
        assert line["timestamp"].endswith("+00:00")
    assert (ours["level"], theirs["level"]) == ("INFO", "WARNING")


def test_lines_have_the_keys_of_their_invocation(log: Written) -> None:
    """Inner keys replace outer ones until their block ends."""
    with log.logs.with_keys(worker="saveStats", correlation_id="request"):
        OURS.info("1")
        with log.logs.with_keys(correlation_id="message", campaign=None):
            THEIRS.warning("2")
        OURS.info("3")
    OURS.info("4")
    found = [
        (line["message"], line.get("worker"), line.get("correlation_id"), line.get("campaign"))
        for line in log.lines()
    ]
    assert found == [
        (1, "saveStats", "request", None),
        (2, "saveStats", "message", None),
        (3, "saveStats", "request", None),
        (4, None, None, None),
    ]


def test_keys_of_a_line_are_kept(log: Written) -> None:
    """Extra fields of a record are keys of the line."""
    OURS.info("done", extra={"count": {"in": 3, "out": 2}, "duration_ms": 7})
    [line] = log.lines()
    assert (line["count"], line["duration_ms"]) == ({"in": 3, "out": 2}, 7)


@pytest.mark.parametrize("value", PERSONAL)
def test_personal_data_is_masked(value: str, log: Written) -> None:
    """Messages, arguments and extra fields are masked."""
    content = f"https://{value}@db" if value == "user:secret" else value
    log.hand(f"asked for {content} twice")
    log.hand("asked for %s", content)
    log.hand("asked", request={"to": [content], "who": {content: 1}})
    assert value not in log.stream.getvalue()
    assert [MASK in json.dumps(line) for line in log.lines()] == [True] * 3


@pytest.mark.parametrize("value", HARMLESS)
def test_ids_and_keys_are_not_masked(value: str) -> None:
    """Keys, sequence numbers, ARNs and times are not masked."""
    assert mask_personal(value) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_masking_leaves_json(value: Any) -> None:
    """Masked data is JSON, and masking is idempotent."""
    once = mask_personal(value)
    assert json.loads(json.dumps(once)) == once
    assert mask_personal(once) == once


def test_the_message_of_an_exception_is_not_logged(log: Written) -> None:
    """The message may quote data; the line has the class and the places in the code."""

    def stumble() -> None:
        error = ValueError("K7Q2M4XZ")
        error.add_note("K7Q2M4XZ")
        raise error

    try:
        stumble()
    except ValueError:
        log.hand("failed", exc_info=sys.exc_info())
    [line] = log.lines()
    assert line["exception_name"] == "ValueError"
    assert any("in stumble" in place for place in line["stack"])
    assert "K7Q2M4XZ" not in log.stream.getvalue()


@pytest.mark.usefixtures("restore_logs")
def test_handlers_of_the_runtime_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler of the Lambda runtime would log every line again as text."""

    class LambdaLoggerHandler(logging.Handler):
        pass

    LambdaLoggerHandler.__module__ = "awslambdaric.bootstrap"
    root, other = logging.getLogger(), logging.NullHandler()
    monkeypatch.setattr(root, "handlers", [LambdaLoggerHandler(), other])
    logs = JsonLogs(StringIO())
    assert root.handlers == [other, logs._library_handler]
