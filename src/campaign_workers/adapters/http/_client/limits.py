"""How long, how often and how much a client asks."""

from typing import Any

import attrs

_positive = attrs.validators.gt(0)


@attrs.frozen(kw_only=True)
class HttpLimits:
    """Limits of one client; units stand in the names.

    A try may take `connect_seconds` to reach the service and `silence_seconds` between two pieces
    of the answer; a body that still comes after `try_seconds` is given up. A call has `attempts`
    tries within `patience_seconds`; the waits between them double from `first_wait_seconds`, and no
    wait, asked for by the service or not, is longer than `longest_wait_seconds`. At most
    `connections` are open at a time.
    """

    connect_seconds: float = attrs.field(default=3, validator=_positive)
    silence_seconds: float = attrs.field(default=10, validator=_positive)
    try_seconds: float = attrs.field(default=30, validator=_positive)
    attempts: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    first_wait_seconds: float = attrs.field(default=0.2, validator=attrs.validators.ge(0))
    longest_wait_seconds: float = attrs.field(default=20, validator=attrs.validators.ge(0))
    patience_seconds: float = attrs.field(default=120, validator=_positive)
    connections: int = attrs.field(default=20, validator=attrs.validators.ge(1))
    answer_bytes: int = attrs.field(default=64 * 2**20, validator=attrs.validators.ge(1))

    def retries(self) -> dict[str, Any]:
        """What `stamina.retry_context` takes."""
        return {
            "attempts": self.attempts,
            "timeout": self.patience_seconds,
            "wait_initial": self.first_wait_seconds,
            "wait_jitter": self.first_wait_seconds,
            "wait_max": self.longest_wait_seconds,
        }
