"""The status of a wave preparation: an object that runs update by compare-and-swap.

The status is TRIGGERED while a run holds the lease, then FINISHED with the result or FAILED with
the reason. An expired lease means that its run died; taking over counts as another attempt.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

import attrs

from campaign_workers.domain.errors import BadInput, Conflict
from campaign_workers.domain.records.types import iso_utc, parse_utc

MAX_ATTEMPTS: Final = 2
LEASE: Final = timedelta(minutes=15)
"""The maximum duration of a Lambda invocation, and so of a run."""


class WavePrepState(StrEnum):
    """The states of a preparation."""

    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


@attrs.frozen(kw_only=True)
class WavePrepStatus:
    """One version of the status object.

    `request` is the request of the run, `result` its answer once it has finished, and `reason`
    why it failed, without personal data.
    """

    state: WavePrepState
    attempts: int
    request: Mapping[str, Any]
    lease_until: datetime | None = None
    result: Mapping[str, Any] | None = None
    reason: str | None = None

    @classmethod
    def parse(cls, document: bytes, *, file: str) -> Self:
        """Parse a status that `to_bytes` wrote.

        Raises:
            BadInput: the document is not a status.
        """
        try:
            raw = json.loads(document)
            lease = raw.get("leaseUntil")
            return cls(
                state=WavePrepState(raw["status"]),
                attempts=int(raw["attempts"]),
                request=raw["request"],
                lease_until=None if lease is None else parse_utc(lease),
                result=raw.get("result"),
                reason=raw.get("reason"),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            raise BadInput(
                "expected the status of a wave preparation",
                file=file,
                remedy="inspect it, and delete it to start again",
            ) from None

    def to_bytes(self) -> bytes:
        """Return the status as a file; equal statuses give equal bytes."""
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

    def as_finished(self, result: Mapping[str, Any]) -> Self:
        """Return the status of this run after it has finished."""
        return attrs.evolve(self, state=WavePrepState.FINISHED, lease_until=None, result=result)

    def as_failed(self, reason: str) -> Self:
        """Return the status of this run after it has failed."""
        return attrs.evolve(self, state=WavePrepState.FAILED, lease_until=None, reason=reason)


def next_attempt(
    before: WavePrepStatus | None,
    request: Mapping[str, Any],
    *,
    now: datetime,
    lease: timedelta,
    file: str,
) -> WavePrepStatus:
    """Return the status of the next attempt.

    Args:
        before: the current status, which is not finished; None before the first attempt.
        request: the request of the run.
        now: when the attempt starts.
        lease: how long the attempt may take.
        file: the key of the status, for errors.

    Raises:
        Conflict: another run holds the lease, or all attempts are used up.
    """
    if before and before.lease_until and now < before.lease_until:
        raise Conflict(f"{file}: another run holds the lease until {iso_utc(before.lease_until)}")
    attempts = before.attempts if before else 0
    if attempts >= MAX_ATTEMPTS:
        raise Conflict(
            f"{file}: {attempts} attempts failed; fix the reason given in this object, delete the "
            "object and start again"
        )
    return WavePrepStatus(
        state=WavePrepState.TRIGGERED,
        attempts=attempts + 1,
        request=request,
        lease_until=now + lease,
    )
