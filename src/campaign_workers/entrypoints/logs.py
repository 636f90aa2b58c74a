"""Logs of a function: one JSON object a line, whoever logs, and nothing in it that is personal."""

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
"""The logger above all of ours, and the name of the service in every line."""

MASK: Final = "***"
PERSONAL: Final = re.compile(
    "|".join(
        (
            r"[^\s@,;:=<>()\[\]{}\"'/\\]+@[\w-]+(?:\.[\w-]+)+",  # an address
            r"(?<![\w.+])\+\d[\d ().-]{6,18}\d",  # a number as it is dialled from abroad
            r"(?<![\w.-])\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}(?![\w-])",  # one as it is dialled at home
            r"(?i:\b(?:bearer|basic)\s+[\w.~+/=-]+)",  # a token
            r"(?<=://)[^\s/@]+(?=@)",  # user and password of a URL
        )
    )
)
"""A net below everybody's care: what looks like a person or a secret, should a library log one."""


def masked(value: Any) -> Any:
    """The value with whatever looks personal masked in its texts; JSON-ready."""
    if isinstance(value, str):
        return PERSONAL.sub(MASK, value)
    if isinstance(value, Mapping):
        return {masked(str(key)): masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(item) for item in value]
    return value if isinstance(value, int | float | None) else masked(str(value))


@attrs.define
class JsonLogs:
    """Powertools' logger for everything under `campaign_workers`, and its form for all others.

    Libraries are heard from warnings on. `POWERTOOLS_LOG_LEVEL` sets the level of our own lines.
    """

    stream: TextIO = attrs.field(factory=lambda: sys.stdout)
    _logger: Logger = attrs.field(init=False)
    _others: logging.Handler = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Take the place of the runtime's own handlers."""
        root = logging.getLogger()
        for handler in tuple(root.handlers):
            if type(handler).__module__.partition(".")[0] in {"awslambdaric", "bootstrap"}:
                root.removeHandler(handler)
        self._logger = Logger(
            service=SERVICE,
            stream=self.stream,
            json_serializer=_line,
            utc=True,
            use_rfc3339=True,
            location="%(name)s:%(lineno)d",
        )
        self._others = logging.StreamHandler(self.stream)
        self._others.setLevel(logging.WARNING)
        self._others.setFormatter(self._logger.registered_formatter)
        self._others.addFilter(SuppressFilter(SERVICE))
        root.addHandler(self._others)

    @contextmanager
    def bound(self, **keys: Any) -> Iterator[None]:
        """Within this, every line of every thread has these keys; None is left out."""
        known = self._logger.get_current_keys()
        before = {key: known.get(key) for key in keys}
        self._logger.append_keys(**keys)
        try:
            yield
        finally:
            self._logger.append_keys(**before)


def _line(told: dict[str, Any]) -> str:
    """A line of the log.

    The text of an exception may quote what it stumbled over, so that only its name and the places
    in the code are told.
    """
    trace = told.pop("exception", None)
    for quoting in ("stack_trace", "exception_notes"):
        told.pop(quoting, None)
    if isinstance(trace, str):
        told["stack"] = [
            place.strip() for place in trace.splitlines() if place.startswith('  File "')
        ]
    return json.dumps(masked(told), ensure_ascii=False, separators=(",", ":"))
