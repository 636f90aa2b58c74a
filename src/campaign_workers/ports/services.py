"""Services of other teams.

Every method raises `RetryLater` when the service fails after its retries, `OutcomeUnknown` when
nobody knows whether a request was carried out, and `PermanentFailure` when it refuses for good.
Requests that change something are idempotent: the same request again gives the same answer.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from campaign_workers.domain.campaigns import Campaign, Market
from campaign_workers.domain.codes import Assignment, AssignmentResult, Reservation

if TYPE_CHECKING:
    import polars as pl


class CampaignService(Protocol):
    """Campaign metadata."""

    def campaign(self, campaign_id: str) -> Campaign:
        """A campaign by its id.

        Raises:
            NotFound: there is none.
            RetryLater: the service fails.
        """
        ...

    def campaign_ids(self, category_ids: Collection[int]) -> Mapping[int, str]:
        """Campaign ids by category id; unknown categories are left out.

        Raises:
            RetryLater: the service fails.
        """
        ...

    def markets(self, campaign_id: str) -> tuple[Market, ...]:
        """Markets of a campaign, in the campaign's order.

        Raises:
            NotFound: there is no such campaign.
            RetryLater: the service fails.
        """
        ...


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

    def set_verdicts(
        self, campaign_id: str, global_user_ids: Collection[str], *, selected: bool
    ) -> None:
        """Mark fans as selected or not.

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

    def available(self, campaign_id: str) -> int:
        """Codes of the campaign that nobody has or has reserved.

        Raises:
            RetryLater: the service fails.
        """
        ...


class UserService(Protocol):
    """Ids of users."""

    def user_ids(self, global_user_ids: Collection[str]) -> Mapping[str, str]:
        """User ids by global user id; unknown users are left out.

        Raises:
            RetryLater: the service fails.
        """
        ...


@attrs.frozen(kw_only=True)
class OfferCodeRequest:
    """One offer code to make. `begin` and `end` bound its validity."""

    idempotency_key: str
    global_user_id: str
    product_id: str | None = None
    source: str | None = None
    begin: datetime
    end: datetime


class OfferCodes(Protocol):
    """Pacman, which makes offer codes."""

    async def create(self, request: OfferCodeRequest) -> str:
        """Make a code; the same idempotency key again gives the same code.

        Raises:
            PermanentFailure: this request is refused for good.
            RetryLater: the service fails.
        """
        ...


@attrs.frozen(kw_only=True)
class TextMessage:
    """One text to send; `phone` is E.164, `group` the wave it belongs to."""

    message_id: str
    phone: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    group: str = ""
    metadata: Mapping[str, str] = attrs.field(factory=dict)


class SmsService(Protocol):
    """Sends texts; accepts a message id once, and answers a repeat as it answered first."""

    async def send(self, message: TextMessage) -> None:
        """Hand a text over for delivery.

        Raises:
            PermanentFailure: it can never be sent (a dead number, an opt-out).
            OutcomeUnknown: no answer came; only the same id may be sent again.
            RetryLater: the service is busy or fails; nothing was accepted.
        """
        ...


class Chat(Protocol):
    """Slack, or what stands in for it."""

    def post(self, channel: str, text: str, blocks: Sequence[Mapping[str, Any]] = ()) -> None:
        """Post a message: Block Kit `blocks`, and `text` for notifications.

        Raises:
            PermanentFailure: there is no such channel, or the message is refused.
            RetryLater: the service fails.
        """
        ...
