"""Watches every log line of the test run, and fails the test that told something personal.

Every logger is at DEBUG, those of libraries included, so that a line counts even if nobody would
have read it. Left out are what AWS's SDK logs below INFO, because `adapters.aws.clients` keeps it
from doing so, and documents that tests plant in MongoDB, where the adapters insert none.
"""

import logging
import re
from collections.abc import Generator, Mapping
from typing import Any, Final

import pytest

PERSONAL: Final[Mapping[str, re.Pattern[str]]] = {
    "a phone number": re.compile(
        r"(?<![\w.])(?:\+|%2B)\d{10,15}(?!\d)|(?<![\w.-])\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}(?![\w-])"
    ),
    "an e-mail address": re.compile(r"[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"),
    "a token": re.compile(r"(?i:bearer\s+(?!\*)\S)|://[^/\s:@]*:[^/\s@]+@|t0ken"),
    "a code": re.compile(
        r"(?<![\w-])(?:C[O0]DE-?\d\w*|C[O0]DE-[A-Z]\w*|SECRET-?CODE\w*|K7Q2M4XZ|Q9D3W8LT"
        # what is minted, and what lies in the pools of made-up uploads
        r"|(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z\d]{10})(?![\w-])"
    ),
}
"""What is personal, or a secret, in the forms that it has in tests."""

SDK: Final = ("boto3", "botocore", "s3transfer", "urllib3")

_OF_EVERY_LINE: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def told(text: str) -> list[str]:
    """The kinds of personal things that a text tells."""
    return [kind for kind, pattern in PERSONAL.items() if pattern.search(text)]


class LogWatch(logging.Handler):
    """Reads every line with what was logged beside it, and keeps where those came from that tell.

    Lines of threads that outlive their test count for a later one.
    """

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.setFormatter(logging.Formatter("%(message)s"))
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Look at the message, its traceback and its extra fields."""
        if _plants(record):
            return
        extras = {k: value for k, value in vars(record).items() if k not in _OF_EVERY_LINE}
        place = f"{record.levelname} line of {record.name} ({record.pathname}:{record.lineno})"
        self.found += [
            f"a {place} tells {kind}" for kind in told(f"{self.format(record)} {extras!r}")
        ]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail the test whose lines tell, once its fixtures are gone too."""
        report = yield
        if call.when == "teardown" and self.found:
            report.outcome = "failed"
            report.longrepr = "\n".join(dict.fromkeys(self.found))
            self.found = []
        return report


def watch(config: pytest.Config) -> None:
    """Watch from now to the end of the run, in this process."""
    if config.option.log_level is None:
        # Failing tests show no more than they would without the watch.
        config.option.log_level = "INFO"
    handler: Any = LogWatch()
    config.pluginmanager.register(handler, "log-watch")
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    for name in SDK:
        logging.getLogger(name).setLevel(logging.INFO)


def _plants(record: logging.LogRecord) -> bool:
    return record.name == "pymongo.command" and '"commandName": "insert"' in record.getMessage()
