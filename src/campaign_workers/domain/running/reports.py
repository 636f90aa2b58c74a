"""What a worker is, and the report that it returns: counts that add up, and details."""

from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar

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


RequestT = TypeVar("RequestT")


class Worker(Protocol[RequestT]):
    """One of the fifteen workers.

    Events of streams, queues and buckets are requests already; everything else arrives as a JSON
    object, of which `parse` makes a request.
    """

    def parse(self, payload: Mapping[str, Any], /) -> RequestT:
        """Return the request that the payload of an invocation, a schedule or a step describes.

        Raises:
            BadInput: the payload describes no request of this worker; names the field.
        """
        ...

    def __call__(self, request: RequestT, /) -> Report:
        """Do the work and report it.

        Raises:
            CampaignError: the work failed; the class of the error decides about a retry.
        """
        ...
