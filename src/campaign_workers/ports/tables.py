"""Ports of the demand table and of the delivery ledger."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import attrs


@attrs.frozen(kw_only=True)
class SelectedEvent:
    """A code that a fan has for a market; `date` is `created` of the record, ISO-8601 in UTC."""

    code: str = attrs.field(repr=False)
    date: str


class DemandTable(Protocol):
    """The `selected_events` of each fan and campaign, by market id (`_` without a market)."""

    def select(
        self, global_user_id: str, campaign_id: str, events: Mapping[str, SelectedEvent]
    ) -> None:
        """Set the verdict to true and add these events; idempotent.

        Raises:
            RetryLater: the table fails.
        """
        ...

    def replace(
        self, global_user_id: str, campaign_id: str, events: Mapping[str, SelectedEvent]
    ) -> None:
        """Set the verdict to true and replace the events by these; idempotent.

        Raises:
            RetryLater: the table fails.
        """
        ...

    def read(self, global_user_id: str, campaign_id: str) -> Mapping[str, SelectedEvent] | None:
        """Return the selected events of a fan, or None if there is no item.

        Raises:
            RetryLater: the table fails.
        """
        ...


class DeliveryState(StrEnum):
    """The state of a delivery: claimed, then sent or failed for ever."""

    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"


class Channel(StrEnum):
    """How a registrant is notified."""

    SMS = "sms"
    EMAIL = "email"


@attrs.frozen(kw_only=True)
class Delivery:
    """The state of one registrant of a wave in the ledger.

    `channel` is the planned channel while the delivery is claimed, and the actual one once it is
    sent.
    """

    message_id: str
    state: DeliveryState
    channel: Channel | None = None


class DeliveryLedger(Protocol):
    """The deliveries of a wave, one for each registrant, kept for at least a year."""

    def claim(
        self,
        wave: str,
        message_ids: Sequence[str],
        *,
        now: datetime,
        channel: Channel | None = None,
    ) -> Mapping[str, Delivery]:
        """Claim the deliveries that are not claimed yet, and return the state of each delivery.

        Each id is claimed atomically, together with its planned `channel`. A delivery that was
        claimed before is returned unchanged, with the channel of the first claim.

        Raises:
            RetryLater: the ledger fails; some deliveries may be claimed.
        """
        ...

    def read(self, wave: str, message_ids: Sequence[str]) -> Mapping[str, Delivery]:
        """Return the deliveries of these ids that are claimed, without claiming any.

        Raises:
            RetryLater: the ledger fails.
        """
        ...

    def settle(self, wave: str, delivery: Delivery, *, now: datetime) -> None:
        """Store the outcome of a claimed delivery; idempotent.

        Raises:
            Conflict: the delivery has another outcome, or was never claimed.
            RetryLater: the ledger fails.
        """
        ...
