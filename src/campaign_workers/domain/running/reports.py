"""What a worker returns: its counts, which always add up, and what else it has to say."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

Equation = tuple[str, tuple[str, ...]]
"""A count, and the counts whose sum it is."""

_IN_OUT: Final[tuple[Equation, ...]] = (("in", ("out", "rejected", "duplicates")),)

EQUATIONS: Final[Mapping[str, tuple[Equation, ...]]] = {
    "generateSmsWaveCodes": (("in", ("out", "errors")),),
    "processScheduledWave": (
        ("in", ("valid", "ignored")),
        ("valid", ("updated", "alreadyAssigned", "refused")),
    ),
    "smsWaveSend": (
        ("total", ("ok", "failed", "overLimit", "duplicates")),
        ("ok", ("sms", "email")),
    ),
}
"""Equations of the workers whose counts are not `in = out + rejected + duplicates`."""


@attrs.frozen(kw_only=True)
class Report:
    """Outcome of one run of `worker`; `details` is JSON-ready and free of personal data."""

    worker: str
    counts: Mapping[str, int]
    details: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def imbalances(self) -> tuple[str, ...]:
        """The equations that do not hold, in words; empty when the books balance."""
        return tuple(
            f"{self.worker}: {total} = {self.counts.get(total, 0)}, but "
            f"{' + '.join(parts)} = {sum(self.counts.get(part, 0) for part in parts)}"
            for total, parts in EQUATIONS.get(self.worker, _IN_OUT)
            if self.counts.get(total, 0) != sum(self.counts.get(part, 0) for part in parts)
        )

    def wire(self) -> dict[str, Any]:
        """The report as the JSON object that callers get."""
        return {**self.details, "count": dict(self.counts)}
