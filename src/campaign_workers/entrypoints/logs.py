"""Logs of a Lambda function: one JSON object per line, with personal data masked."""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TextIO

import attrs
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.filters import SuppressFilter

SERVICE: Final = "campaign_workers"
"""The root of this package's loggers, and the service name in every line."""

MASK: Final = "***"
PERSONAL: Final = re.compile(
    "|".join(
        (
            r"[^\s@,;:=<>()\[\]{}\"'/\\]+@[\w-]+(?:\.[\w-]+)+",  # an e-mail address
            r"(?<![\w.+])\+\d[\d ().-]{6,18}\d",  # an international phone number
            r"(?<![\w.-])\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}(?![\w-])",  # a North American phone number
            r"(?i:\b(?:bearer|basic)\s+[\w.~+/=-]+)",  # a bearer token or a password
            r"(?<=://)[^\s/@]+(?=@)",  # user and password in a URL
        )
    )
)
"""Last line of defence: personal data and credentials that a library might log."""


def mask_personal(value: Any) -> Any:
    """Return the value as JSON-ready data, with everything masked that `PERSONAL` matches."""
    if isinstance(value, str):
        return PERSONAL.sub(MASK, value)
    if isinstance(value, Mapping):
        return {mask_personal(str(key)): mask_personal(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask_personal(item) for item in value]
    return value if isinstance(value, int | float | None) else mask_personal(str(value))


@attrs.define
class JsonLogs:
    """Powertools' logger for this package, and its JSON format for the loggers of all libraries.

    Libraries log from warnings on; `POWERTOOLS_LOG_LEVEL` sets the level of this package.
    """

    stream: TextIO = attrs.field(factory=lambda: sys.stdout)
    _logger: Logger = attrs.field(init=False)
    _library_handler: logging.Handler = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Replace the log handlers of the Lambda runtime."""
        root = logging.getLogger()
        for handler in tuple(root.handlers):
            if type(handler).__module__.partition(".")[0] in {"awslambdaric", "bootstrap"}:
                root.removeHandler(handler)
        self._logger = Logger(
            service=SERVICE,
            stream=self.stream,
            json_serializer=_to_line,
            utc=True,
            use_rfc3339=True,
            location="%(name)s:%(lineno)d",
        )
        self._library_handler = logging.StreamHandler(self.stream)
        self._library_handler.setLevel(logging.WARNING)
        self._library_handler.setFormatter(self._logger.registered_formatter)
        self._library_handler.addFilter(SuppressFilter(SERVICE))
        root.addHandler(self._library_handler)

    @contextmanager
    def with_keys(self, **keys: Any) -> Iterator[None]:
        """Add these keys to every line of every thread while the block runs; omit None values."""
        current = self._logger.get_current_keys()
        previous = {key: current.get(key) for key in keys}
        self._logger.append_keys(**keys)
        try:
            yield
        finally:
            self._logger.append_keys(**previous)


def _to_line(record: dict[str, Any]) -> str:
    """Return a line of the log.

    The message of an exception may quote the data that it failed on, so only the name of its class
    and its places in the code are kept.
    """
    trace = record.pop("exception", None)
    for quoting in ("stack_trace", "exception_notes"):
        record.pop(quoting, None)
    if isinstance(trace, str):
        record["stack"] = [
            place.strip() for place in trace.splitlines() if place.startswith('  File "')
        ]
    return json.dumps(mask_personal(record), ensure_ascii=False, separators=(",", ":"))
