"""A fan's registration in one campaign, as the entry store keeps it."""

from collections.abc import Mapping
from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class Entry:
    """What is known of one fan in one campaign.

    `market_ids` are the wanted markets, best first; `codes` maps a market id (or `_` for a code
    that belongs to no market) to the assigned code; `created` is when the fan registered.
    """

    campaign_id: str
    user_id: str
    global_user_id: str | None = None
    member_id: str | None = None
    email: str = attrs.field(default="", repr=False)
    phone: str | None = attrs.field(default=None, repr=False)
    first_name: str = attrs.field(default="", repr=False)
    last_name: str = attrs.field(default="", repr=False)
    locale: str | None = None
    market_ids: tuple[str, ...] = ()
    opt_in_email: bool = False
    opt_in_sms: bool = False
    phone_confirmed: bool = False
    referrer_code: str | None = attrs.field(default=None, repr=False)
    blocked: bool = False
    codes: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    created: datetime
