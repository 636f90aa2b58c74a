"""Port of the code service: the pool of external codes."""

from collections.abc import Collection, Sequence
from typing import Protocol

from campaign_workers.domain.codes import Assignment, AssignmentResult, Reservation


class CodeService(Protocol):
    """The pool of external codes: available, reserved for 24 hours, assigned for ever."""

    def reserve(
        self, campaign_id: str, market_id: str, count: int, *, reserve_id: str
    ) -> Reservation:
        """Reserve up to `count` codes for a market; fewer when the pool has fewer.

        The same `reserve_id` again renews its reservation and tops it up to `count`.

        Raises:
            RetryLater: the service fails.
        """
        ...

    def release(self, reserve_id: str, codes: Collection[str]) -> int:
        """Give reserved codes back; how many were. Codes not reserved under this id stay put.

        Raises:
            RetryLater: the service fails.
        """
        ...

    def assign(
        self, campaign_id: str, assignments: Sequence[Assignment]
    ) -> Sequence[AssignmentResult]:
        """Assign at most 2500 external codes to fans; results in the order of the requests.

        A code of another campaign, reserved for another market, or assigned to another fan is
        refused, as is one that is not external; a code that no pool knows joins the campaign's.

        Raises:
            RejectRecord: more than 2500.
            RetryLater: the service fails.
        """
        ...
