"""The demand table and the delivery ledger."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import attrs


@attrs.frozen(kw_only=True)
class SelectedEvent:
    """A code that a fan has for a market; `date` is the record's created, ISO-8601 UTC."""

    code: str = attrs.field(repr=False)
    date: str


class DemandTable(Protocol):
    """`selected_events` of each fan and campaign, by market id (`_` without a market)."""

    def select(
        self, global_user_id: str, campaign_id: str, events: Mapping[str, SelectedEvent]
    ) -> None:
        """Set the verdict true and these events, keeping the others. Twice is as once.

        Raises:
            RetryLater: the table fails.
        """
        ...

    def replace(
        self, global_user_id: str, campaign_id: str, events: Mapping[str, SelectedEvent]
    ) -> None:
        """Set the verdict true and the events to exactly these. Twice is as once.

        Raises:
            RetryLater: the table fails.
        """
        ...

    def read(self, global_user_id: str, campaign_id: str) -> Mapping[str, SelectedEvent] | None:
        """The selected events of a fan, None if there is no item.

        Raises:
            RetryLater: the table fails.
        """
        ...


class DeliveryState(StrEnum):
    """Life of a delivery: claimed, then sent or failed for ever."""

    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"


class Channel(StrEnum):
    """How a registrant was notified."""

    SMS = "sms"
    EMAIL = "email"


@attrs.frozen(kw_only=True)
class Delivery:
    """What the ledger knows of one registrant of a wave.

    `channel` is how it is meant to go while it is claimed, and how it went once it is sent.
    """

    message_id: str
    state: DeliveryState
    channel: Channel | None = None


class DeliveryLedger(Protocol):
    """One delivery a registrant of a wave, kept for at least a year."""

    def claim(
        self,
        wave: str,
        message_ids: Sequence[str],
        *,
        now: datetime,
        channel: Channel | None = None,
    ) -> Mapping[str, Delivery]:
        """Claim the deliveries that nobody claimed yet; return the state of each of them.

        Each id is claimed atomically, together with the `channel` it is meant to go by; a claimed,
        sent or failed one is returned as it is, with the channel of whoever claimed it first.

        Raises:
            RetryLater: the ledger fails; some may be claimed by then.
        """
        ...

    def read(self, wave: str, message_ids: Sequence[str]) -> Mapping[str, Delivery]:
        """The deliveries that somebody claimed, of these ids; claims nothing.

        Raises:
            RetryLater: the ledger fails.
        """
        ...

    def settle(self, wave: str, delivery: Delivery, *, now: datetime) -> None:
        """Write the outcome of a claimed delivery; the same outcome twice is as once.

        Raises:
            Conflict: it is settled otherwise, or was never claimed.
            RetryLater: the ledger fails.
        """
        ...
