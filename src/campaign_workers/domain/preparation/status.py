"""The state of a wave preparation, kept as one object that runs take from each other by etag.

TRIGGERED while a run holds the lease, then FINISHED with its result or FAILED with the reason. A
lease that ran out belongs to a run that died; whoever takes over counts as another attempt.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

import attrs

from campaign_workers.domain.errors import BadInput, Conflict
from campaign_workers.domain.records.types import iso_utc, parse_utc

MOST_ATTEMPTS: Final = 2
LEASE: Final = timedelta(minutes=15)
"""No run lasts longer than a Lambda can."""


class State(StrEnum):
    """Where a preparation stands."""

    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


@attrs.frozen(kw_only=True)
class WavePrepStatus:
    """One version of the status object.

    `request` is what the run was asked for; `result` what a finished one answered; `reason` why
    a failed one did, without any personal value.
    """

    state: State
    attempts: int
    request: Mapping[str, Any]
    lease_until: datetime | None = None
    result: Mapping[str, Any] | None = None
    reason: str | None = None

    @classmethod
    def parse(cls, document: bytes, *, file: str) -> Self:
        """Read a status that `json` wrote.

        Raises:
            BadInput: it is something else; a person has to look at it.
        """
        try:
            raw = json.loads(document)
            lease = raw.get("leaseUntil")
            return cls(
                state=State(raw["status"]),
                attempts=int(raw["attempts"]),
                request=raw["request"],
                lease_until=None if lease is None else parse_utc(lease),
                result=raw.get("result"),
                reason=raw.get("reason"),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            raise BadInput("not a status of a wave preparation", file=file) from None

    def json(self) -> bytes:
        """The status as an object; equal ones give equal bytes."""
        content = {
            "status": str(self.state),
            "attempts": self.attempts,
            "request": dict(self.request),
            "leaseUntil": None if self.lease_until is None else iso_utc(self.lease_until),
            "reason": self.reason,
            "result": self.result,
        }
        present = {name: value for name, value in content.items() if value is not None}
        return f"{json.dumps(present, indent=2, ensure_ascii=False)}\n".encode()

    def finished(self, result: Mapping[str, Any]) -> Self:
        """This run's status when it is done."""
        return attrs.evolve(self, state=State.FINISHED, lease_until=None, result=result)

    def failed(self, reason: str) -> Self:
        """This run's status when it gave up."""
        return attrs.evolve(self, state=State.FAILED, lease_until=None, reason=reason)


def triggered(
    before: WavePrepStatus | None,
    request: Mapping[str, Any],
    *,
    now: datetime,
    lease: timedelta,
    file: str,
) -> WavePrepStatus:
    """The status of a new attempt, after the status that was `before` it (not a finished one).

    Raises:
        Conflict: another run holds the lease, or the attempts are used up.
    """
    if before and before.lease_until and now < before.lease_until:
        raise Conflict(f"{file}: another run holds it until {iso_utc(before.lease_until)}")
    attempts = before.attempts if before else 0
    if attempts >= MOST_ATTEMPTS:
        raise Conflict(
            f"{file}: {attempts} attempts did not succeed; read the reason in it, mend the cause "
            "and delete it before you start again"
        )
    return WavePrepStatus(
        state=State.TRIGGERED, attempts=attempts + 1, request=request, lease_until=now + lease
    )
