"""The services behind the doubles: the in-process ones, so that the rules are one code."""

from collections.abc import Callable, Collection
from typing import Self

import attrs

from campaign_workers.adapters.fakes.campaigns import CampaignStore
from campaign_workers.adapters.fakes.chat import ChatLog
from campaign_workers.adapters.fakes.codes import CodePool
from campaign_workers.adapters.fakes.entries import EntryStore
from campaign_workers.adapters.fakes.offer_codes import OfferCodeMint
from campaign_workers.adapters.fakes.sms import SmsOutbox
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.adapters.fakes.users import UserDirectory
from campaign_workers.ports.offer_codes import OfferCodeRequest
from campaign_workers.ports.system import Clock


@attrs.frozen(kw_only=True)
class Neighbours:
    """The seven."""

    campaigns: CampaignStore
    entries: EntryStore
    codes: CodePool
    users: UserDirectory
    offer_codes: OfferCodeMint
    sms: SmsOutbox
    chat: ChatLog

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
        """All of them over the same tables; see each for what it may be told to refuse."""
        return cls(
            campaigns=CampaignStore(tables),
            entries=EntryStore(tables, clock),
            codes=CodePool(tables, clock),
            users=UserDirectory(tables),
            offer_codes=OfferCodeMint(tables, refuses=refuses),
            sms=SmsOutbox(tables, clock, dead_endings=dead_endings),
            chat=ChatLog(tables, clock, channels=channels),
        )
