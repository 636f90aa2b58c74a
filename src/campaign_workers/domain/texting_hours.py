"""When texts may arrive, in the recipient's time."""

import re
from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from typing import Any, Final, Self

import attrs

from campaign_workers.domain.errors import BadInput

_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


class Otherwise(StrEnum):
    """What becomes of a text outside the hours."""

    EMAIL = "email"
    WAIT = "wait"


@attrs.frozen(kw_only=True)
class TextingHours:
    """From `start` until before `end`, every day; a window with `end` first crosses midnight."""

    start: time
    end: time
    otherwise: Otherwise

    @classmethod
    def read(cls, raw: object) -> Self:
        """The `textingHours` of a wave config.

        Raises:
            BadInput: it is no object, or `start`, `end` or `otherwise` is missing or wrong.
        """
        if not isinstance(raw, Mapping):
            raise BadInput("not an object", field="textingHours")
        start, end = _time(raw, "start"), _time(raw, "end")
        if start == end:
            raise BadInput("no hours between start and end", field="textingHours")
        return cls(start=start, end=end, otherwise=_otherwise(raw))

    def wire(self) -> dict[str, str]:
        """The hours as the wave config writes them."""
        return {
            "start": f"{self.start:%H:%M}",
            "end": f"{self.end:%H:%M}",
            "otherwise": self.otherwise.value,
        }


def _time(raw: Mapping[str, Any], name: str) -> time:
    value = raw.get(name)
    if isinstance(value, str) and _TIME.fullmatch(value):
        return time.fromisoformat(value)
    raise BadInput("not a time", field=f"textingHours.{name}", remedy="write HH:MM")


def _otherwise(raw: Mapping[str, Any]) -> Otherwise:
    try:
        return Otherwise(raw["otherwise"])
    except (KeyError, ValueError):
        raise BadInput(
            "unknown", field="textingHours.otherwise", remedy="write email or wait"
        ) from None
