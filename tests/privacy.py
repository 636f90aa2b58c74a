"""Watches every log line of the test run, and fails tests that log personal data.

All loggers are at DEBUG, those of libraries included, so that every line counts, even one that is
usually not shown. Exceptions: lines of AWS's SDK below INFO, which `adapters.aws.clients` turns
off, and documents that tests insert into MongoDB, which the adapters never do.
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
        # Codes of the fake of Pacman, and of the pools of made-up uploads.
        r"|(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z\d]{10})(?![\w-])"
    ),
}
"""Patterns of personal data and secrets in tests."""

SDK: Final = ("boto3", "botocore", "s3transfer", "urllib3")

_STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def personal_data(text: str) -> list[str]:
    """Return the kinds of personal data in a text."""
    return [kind for kind, pattern in PERSONAL.items() if pattern.search(text)]


class LogWatch(logging.Handler):
    """Checks every log line with its extra fields, and records where personal data is logged.

    Lines of threads that outlive their test count for a later test.
    """

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.setFormatter(logging.Formatter("%(message)s"))
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Check the message, its traceback and its extra fields."""
        if _is_test_insert(record):
            return
        extras = {k: value for k, value in vars(record).items() if k not in _STANDARD_FIELDS}
        place = f"{record.levelname} line of {record.name} ({record.pathname}:{record.lineno})"
        self.found += [
            f"a {place} contains {kind}"
            for kind in personal_data(f"{self.format(record)} {extras!r}")
        ]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail the test whose lines have personal data, after the teardown of its fixtures."""
        report = yield
        if call.when == "teardown" and self.found:
            report.outcome = "failed"
            report.longrepr = "\n".join(dict.fromkeys(self.found))
            self.found = []
        return report


def watch(config: pytest.Config) -> None:
    """Watch the log until the end of the run, in this process."""
    if config.option.log_level is None:
        # Reports of failed tests show the same log lines as without the watch.
        config.option.log_level = "INFO"
    handler: Any = LogWatch()
    config.pluginmanager.register(handler, "log-watch")
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    for name in SDK:
        logging.getLogger(name).setLevel(logging.INFO)


def _is_test_insert(record: logging.LogRecord) -> bool:
    return record.name == "pymongo.command" and '"commandName": "insert"' in record.getMessage()
