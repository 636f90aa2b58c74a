"""Hypothesis strategies for campaigns, stream records, entries and codes.

Ids come from small pools, so that fans, markets and codes repeat. Personal data is made up.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from campaign_workers.domain.campaigns import Campaign, CampaignType, Market, TicketType
from campaign_workers.domain.codes import TM, Assignment
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.stats.admin import Entry
from campaign_workers.testing.builders import CAMPAIGN, registration, scoring

OPENS: Final = datetime(2026, 9, 1, tzinfo=UTC)
MARKET_IDS: Final = ("chi", "lax", "mex", "nyc", "tor")
SCORING_TYPES: Final = ("linear", "reciprocal", "exponential", "percentile", "banded")
NAMES: Final = ("Ada", "Chloé", "Íñigo", "聡太郎", "")

_scores = st.integers(0, 20).map(lambda twentieths: twentieths / 20)


def key_ids() -> st.SearchStrategy[str]:
    """Generate ids that are valid in an object key."""
    pattern = r"[A-Za-z0-9]([._-]?[A-Za-z0-9]){0,20}"
    return st.from_regex(pattern, fullmatch=True)


def fan_ids(*, fans: int = 6) -> st.SearchStrategy[str]:
    """Generate global user ids of at most `fans` fans."""
    return st.integers(1, fans).map("g{}".format)


def market_ids() -> st.SearchStrategy[str]:
    """Generate ids of a few markets."""
    return st.sampled_from(MARKET_IDS)


def wishes(*, limit: int = 4) -> st.SearchStrategy[list[str]]:
    """Generate preferred markets, best first, without duplicates."""
    return st.lists(market_ids(), max_size=limit, unique=True)


def _mostly_some_wishes() -> st.SearchStrategy[list[str]]:
    some = st.lists(market_ids(), min_size=1, max_size=4, unique=True)
    return st.sampled_from((True, True, True, False)).flatmap(
        lambda has_some: some if has_some else wishes()
    )


def moments(*, days: int = 3) -> st.SearchStrategy[datetime]:
    """Generate times after the opening of registration, some of them equal."""
    return st.integers(0, days * 24).map(lambda hours: OPENS + timedelta(hours=hours))


def markets() -> st.SearchStrategy[Market]:
    """Generate markets of any kind."""
    return st.builds(
        Market,
        market_id=key_ids(),
        name=st.text(max_size=20),
        city=st.text(max_size=20),
        timezone=st.none() | st.sampled_from(("America/New_York", "Europe/London")),
        ticket_type=st.sampled_from(TicketType),
    )


@st.composite
def campaigns(draw: st.DrawFn, *, campaign_ids: st.SearchStrategy[str] | None = None) -> Campaign:
    """Generate campaigns of both types, open or closed, with up to five markets."""
    scoring_type = draw(st.sampled_from(SCORING_TYPES))
    has_half_life = scoring_type == "exponential"
    return Campaign(
        campaign_id=draw(campaign_ids or key_ids()),
        type=draw(st.sampled_from(CampaignType)),
        status=draw(st.sampled_from(("OPEN", "CLOSED"))),
        name=draw(st.text(max_size=20)),
        category_id=draw(st.none() | st.integers(1, 2**53 - 1)),
        artist=draw(st.none() | st.text(min_size=1, max_size=20)),
        allow_intl_phones=draw(st.booleans()),
        scoring_type=scoring_type,
        half_life=draw(st.none() | st.floats(1, 1e6)) if has_half_life else None,
        stats_channels=tuple(draw(st.lists(key_ids().map("#{}".format), max_size=2))),
        markets=tuple(draw(st.lists(markets(), max_size=5, unique_by=lambda m: m.market_id))),
    )


def entries(*, campaign_id: str = CAMPAIGN) -> st.SearchStrategy[Entry]:
    """Generate entries of one campaign."""
    return st.builds(
        Entry,
        campaign_id=st.just(campaign_id),
        user_id=st.integers(1, 9).map("u{}".format),
        global_user_id=st.none() | fan_ids(),
        locale=st.none() | st.sampled_from(("en-us", "fr-ca", "")),
        market_ids=wishes(limit=5).map(tuple),
        opt_in_email=st.booleans(),
        opt_in_sms=st.booleans(),
        phone_confirmed=st.booleans(),
        referrer_code=st.none() | st.sampled_from(("", "R1")),
        blocked=st.booleans(),
        codes=st.dictionaries(market_ids(), codes(), max_size=2),
        created=moments(),
    )


@st.composite
def registrations(draw: st.DrawFn, *, campaign_id: str = CAMPAIGN, fans: int = 6) -> dict[str, Any]:
    """Generate registrations of a few fans in wire format.

    A fan may register twice, with another account, or with the e-mail address of another fan.
    """
    number = draw(st.integers(1, fans))
    numbers = st.just(number) | st.just(number) | st.integers(1, fans)
    address = draw(st.sampled_from(("fan{}@mail.example", " FAN{}@Mail.example", "")))
    return registration(
        draw(st.sampled_from((f"g{number}",) * 3 + (None,))),
        userId=f"u{draw(numbers)}",
        campaignId=campaign_id,
        memberId=draw(st.none() | numbers.map("m{}".format)),
        email=address.format(draw(numbers)),
        firstName=draw(st.none() | st.sampled_from(NAMES)),
        marketIds=draw(_mostly_some_wishes()),
        referrerCode=draw(st.none() | st.sampled_from(("", "R1"))),
        phoneConfirmed=draw(st.none() | st.just("2026-09-02T10:00:00Z")),
        locale=draw(st.none() | st.sampled_from(("en-us", "fr-ca"))),
        created=iso_utc(draw(moments())),
    )


@st.composite
def scorings(draw: st.DrawFn, *, campaign_id: str = CAMPAIGN, fans: int = 6) -> dict[str, Any]:
    """Generate scores of a few fans in wire format, with any non-empty set of ids.

    The ids are mostly those of one fan, but as in real data they may be of several.
    """
    number = draw(st.integers(1, fans))
    numbers = st.just(number) | st.just(number) | st.integers(1, fans)
    ids = {
        "globalUserId": "g{}",
        "memberId": "m{}",
        "userId": "u{}",
        "email": "fan{}@mail.example",
    }
    known = draw(
        st.sampled_from((["globalUserId"], ["email", "globalUserId"], ["memberId"], ["userId"]))
        | st.lists(st.sampled_from(sorted(ids)), min_size=1, unique=True)
    )
    fields: dict[str, Any] = {
        "fan": None,
        "campaignId": campaign_id,
        "score": draw(
            st.sampled_from((True, True, True, True, False)).flatmap(
                lambda is_scored: _scores if is_scored else st.none()
            )
        ),
        "bandScore": draw(st.none() | _scores),
        "verdict": draw(st.sampled_from((1, 1, 1, 0))),
        "marketIds": draw(_mostly_some_wishes()),
        "source": draw(st.sampled_from(("scored", "fanlist"))),
        "created": iso_utc(draw(moments(days=1))),
        **{name: ids[name].format(draw(numbers)) for name in known},
    }
    return scoring(**fields)


def codes(*, limit: int = 8) -> st.SearchStrategy[str]:
    """Generate a few external codes."""
    return st.integers(1, limit).map("CODE{:03d}".format)


def assignments(*, kinds: Sequence[str] = ("external", "tm")) -> st.SearchStrategy[Assignment]:
    """Generate requests to assign a code or the placeholder to one of a few fans."""
    by_kind = {"external": codes(), "tm": st.just(TM)}
    return st.builds(
        Assignment,
        global_user_id=fan_ids(),
        code=st.one_of([by_kind[kind] for kind in kinds]),
        market_id=st.none() | market_ids(),
        user_id=st.none() | st.just("u1"),
        created=st.none() | moments(),
    )
