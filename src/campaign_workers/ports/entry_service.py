"""Port of the entry service: candidates, and the codes of fans."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import attrs

from campaign_workers.domain.codes import Assignment, AssignmentResult

if TYPE_CHECKING:
    import polars as pl


@attrs.frozen(kw_only=True)
class EligibleQuery:
    """Selects the candidates of a campaign; the bounds are raw scores and inclusive."""

    campaign_id: str
    market_ids: tuple[str, ...]
    min_score: float | None = None
    max_score: float | None = None
    reassign: bool = False


class EntryService(Protocol):
    """The entry store: registrations, scores, selections and codes of fans."""

    def eligible(self, query: EligibleQuery) -> "Iterator[pl.DataFrame]":
        """Yield pages of candidates; each fan is on one page, in any order.

        A campaign without candidates gives no page or empty pages.

        Returns:
            Frames with the columns global_user_id, member_id, email, phone, first_name, last_name,
            locale (String), market_ids (List of String), raw_score and score (Float64; score is
            the band score if there is one), verdict (Int8), previously_selected (Boolean),
            opt_in_sms (Boolean; null if the fan did not register here) and codes (List of Struct
            market_id, code: the codes that the fan has).

        Raises:
            NotFound: there is no such campaign.
            RetryLater: the service fails.
        """
        ...

    def assign_codes(
        self, campaign_id: str, assignments: Sequence[Assignment]
    ) -> Sequence[AssignmentResult]:
        """Assign codes to fans and mark these fans as selected.

        Refused are a second code for a fan and market, and a code (except `TM`) that another fan
        has. A fan without an entry gets one.

        Returns:
            A result for each assignment, in order.

        Raises:
            RetryLater: the service fails.
        """
        ...

    def codes(
        self, campaign_id: str, global_user_ids: Collection[str]
    ) -> Mapping[str, Mapping[str, tuple[str, datetime]]]:
        """Return the codes of fans.

        Returns:
            For each fan with codes, by market id or `_`: the code, and `created` of the record
            that assigned it.

        Raises:
            RetryLater: the service fails.
        """
        ...
