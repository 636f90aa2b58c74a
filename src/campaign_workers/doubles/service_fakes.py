"""The fakes behind the doubles, so that the rules of the services are written once."""

from collections.abc import Callable, Collection
from typing import Self

import attrs

from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
from campaign_workers.adapters.fakes.codes import FakeCodeService, FakeOfferCodes
from campaign_workers.adapters.fakes.entries import FakeEntryService
from campaign_workers.adapters.fakes.messages import FakeChat, FakeSmsService
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.adapters.fakes.users import FakeUserService
from campaign_workers.ports.offer_codes import OfferCodeRequest
from campaign_workers.ports.system import Clock


@attrs.frozen(kw_only=True)
class ServiceFakes:
    """The fakes of all seven services."""

    campaigns: FakeCampaignService
    entries: FakeEntryService
    codes: FakeCodeService
    users: FakeUserService
    offer_codes: FakeOfferCodes
    sms: FakeSmsService
    chat: FakeChat

    @classmethod
    def over(
        cls,
        tables: Tables,
        clock: Clock,
        *,
        refuses: Callable[[OfferCodeRequest], bool] = lambda _: False,
        dead_endings: Collection[str] = (),
        channels: Collection[str] | None = None,
    ) -> Self:
        """Return fakes that share the tables.

        Args:
            tables: Where all fakes keep their rows.
            clock: The current time of all fakes.
            refuses: See `FakeOfferCodes`.
            dead_endings: See `FakeSmsService`.
            channels: See `FakeChat`.
        """
        return cls(
            campaigns=FakeCampaignService(tables),
            entries=FakeEntryService(tables, clock),
            codes=FakeCodeService(tables, clock),
            users=FakeUserService(tables),
            offer_codes=FakeOfferCodes(tables, refuses=refuses),
            sms=FakeSmsService(tables, clock, dead_endings=dead_endings),
            chat=FakeChat(tables, clock, channels=channels),
        )
