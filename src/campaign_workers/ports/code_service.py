"""Port of the code service."""

from collections.abc import Collection, Sequence
from typing import Protocol

from campaign_workers.domain.codes import Assignment, AssignmentResult, Reservation


class CodeService(Protocol):
    """The pool of external codes.

    A code is available, then reserved for 24 hours, then assigned for ever.
    """

    def reserve(
        self, campaign_id: str, market_id: str, count: int, *, reserve_id: str
    ) -> Reservation:
        """Reserve up to `count` available codes of a campaign for a market.

        The same `reserve_id` again renews its reservation and tops it up to `count` codes.

        Returns:
            The reservation, with fewer codes if fewer are available.

        Raises:
            RetryLater: the service fails.
        """
        ...

    def release(self, reserve_id: str, codes: Collection[str]) -> int:
        """Release codes of a reservation, and return how many were released.

        Codes that are not reserved under this id stay as they are.

        Raises:
            RetryLater: the service fails.
        """
        ...

    def assign(
        self, campaign_id: str, assignments: Sequence[Assignment]
    ) -> Sequence[AssignmentResult]:
        """Assign at most 2500 external codes to fans.

        Refused are codes of another campaign, codes reserved for another market, codes assigned to
        another fan, and codes that are not external. A code that is in no pool joins the pool of
        the campaign.

        Returns:
            A result for each assignment, in order.

        Raises:
            RejectRecord: there are more than 2500 assignments; none is carried out.
            RetryLater: the service fails.
        """
        ...
