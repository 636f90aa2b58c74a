"""Logs of a function are JSON, whoever logs, and hold nothing personal."""

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
    """What the handlers wrote."""

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
def written(restored: None) -> Written:
    """The handlers of a function."""
    stream = StringIO()
    return Written(JsonLogs(stream), stream)


def test_everybody_logs_json(written: Written) -> None:
    """Our modules and libraries alike, each line once, in UTC."""
    OURS.info("a record was rejected, see %s", "rejected/x.jsonl")
    THEIRS.info("nobody asked")
    THEIRS.warning("slow: %d s", 7)
    ours, theirs = written.lines()
    assert ours["location"].startswith("campaign_workers.workers.any:")
    assert ours["message"] == "a record was rejected, see rejected/x.jsonl"
    assert theirs["message"] == "slow: 7 s"
    for line in (ours, theirs):
        assert line["service"] == "campaign_workers"
        assert line["timestamp"].endswith("+00:00")
    assert (ours["level"], theirs["level"]) == ("INFO", "WARNING")


def test_lines_have_the_keys_of_their_invocation(written: Written) -> None:
    """Inner keys take the place of outer ones and give it back."""
    with written.logs.with_keys(worker="saveStats", correlation_id="request"):
        OURS.info("1")
        with written.logs.with_keys(correlation_id="message", campaign=None):
            THEIRS.warning("2")
        OURS.info("3")
    OURS.info("4")
    found = [
        (line["message"], line.get("worker"), line.get("correlation_id"), line.get("campaign"))
        for line in written.lines()
    ]
    assert found == [
        (1, "saveStats", "request", None),
        (2, "saveStats", "message", None),
        (3, "saveStats", "request", None),
        (4, None, None, None),
    ]


def test_keys_of_a_line_are_kept(written: Written) -> None:
    """What is logged beside the message stands beside it."""
    OURS.info("done", extra={"count": {"in": 3, "out": 2}, "duration_ms": 7})
    [line] = written.lines()
    assert (line["count"], line["duration_ms"]) == ({"in": 3, "out": 2}, 7)


@pytest.mark.parametrize("value", PERSONAL)
def test_what_looks_personal_is_mask_personal(value: str, written: Written) -> None:
    """In texts, arguments and whatever stands beside them."""
    content = f"https://{value}@db" if value == "user:secret" else value
    written.hand(f"asked for {content} twice")
    written.hand("asked for %s", content)
    written.hand("asked", request={"to": [content], "who": {content: 1}})
    assert value not in written.stream.getvalue()
    assert [MASK in json.dumps(line) for line in written.lines()] == [True] * 3


@pytest.mark.parametrize("value", HARMLESS)
def test_what_operators_look_for_is_not(value: str) -> None:
    """Keys, sequence numbers, names of AWS and times stay what they are."""
    assert mask_personal(value) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_masking_leaves_json(value: Any) -> None:
    """Whatever is logged is still JSON after masking, and masking twice changes nothing more."""
    once = mask_personal(value)
    assert json.loads(json.dumps(once)) == once
    assert mask_personal(once) == once


def test_the_text_of_an_exception_is_not_told(written: Written) -> None:
    """It may quote what it stumbled over; the places in the code are told."""

    def stumble() -> None:
        error = ValueError("K7Q2M4XZ")
        error.add_note("K7Q2M4XZ")
        raise error

    try:
        stumble()
    except ValueError:
        written.hand("failed", exc_info=sys.exc_info())
    [line] = written.lines()
    assert line["exception_name"] == "ValueError"
    assert any("in stumble" in place for place in line["stack"])
    assert "K7Q2M4XZ" not in written.stream.getvalue()


@pytest.mark.usefixtures("restored")
def test_handlers_of_the_runtime_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda's own handler would tell every line again, as text."""

    class LambdaLoggerHandler(logging.Handler):
        pass

    LambdaLoggerHandler.__module__ = "awslambdaric.bootstrap"
    root, other = logging.getLogger(), logging.NullHandler()
    monkeypatch.setattr(root, "handlers", [LambdaLoggerHandler(), other])
    logs = JsonLogs(StringIO())
    assert root.handlers == [other, logs._library_handler]
