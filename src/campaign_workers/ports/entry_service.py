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
    """Which fans of a campaign may be candidates; scores are raw scores, bounds included."""

    campaign_id: str
    market_ids: tuple[str, ...]
    min_score: float | None = None
    max_score: float | None = None
    reassign: bool = False


class EntryService(Protocol):
    """The entry store: who registered, scored, was selected, and has which code."""

    def eligible(self, query: EligibleQuery) -> "Iterator[pl.DataFrame]":
        """Pages of candidates, each fan once over all pages, in no promised order.

        Columns, all but the lists String unless noted: global_user_id, member_id, email, phone,
        first_name, last_name, locale, market_ids (List), raw_score and score (Float64; score is
        the band score where there is one), verdict (Int8), previously_selected (Boolean),
        opt_in_sms (Boolean; null if the fan did not register here), codes (List of Struct
        market_id, code: what the fan has already). A campaign without such fans gives no page or
        empty pages.

        Raises:
            NotFound: there is no such campaign.
            RetryLater: the service fails.
        """
        ...

    def assign_codes(
        self, campaign_id: str, assignments: Sequence[Assignment]
    ) -> Sequence[AssignmentResult]:
        """Give fans their codes and mark them selected; results in the order of the requests.

        A fan who has another code for the market keeps it and the assignment is refused, as is a
        code (not `TM`) that another fan has. An unknown fan gets an entry.

        Raises:
            RetryLater: the service fails.
        """
        ...

    def codes(
        self, campaign_id: str, global_user_ids: Collection[str]
    ) -> Mapping[str, Mapping[str, tuple[str, datetime]]]:
        """Codes of these fans: fan -> market id or `_` -> (code, the assigning record's created).

        Raises:
            RetryLater: the service fails.
        """
        ...
