"""Answers that are not as documented are told by service, field and call, and by no value."""

import asyncio
import copy
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.http._client.client import Client
from campaign_workers.adapters.http._client.requests import ServiceRequest
from campaign_workers.adapters.http.campaign import HttpCampaignService
from campaign_workers.adapters.http.code import HttpCodeService
from campaign_workers.adapters.http.entry import HttpEntryService
from campaign_workers.adapters.http.pacman import HttpOfferCodes
from campaign_workers.adapters.http.sms import HttpSmsService
from campaign_workers.adapters.http.user import HttpUserService
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.errors import OutcomeUnknown, RetryLater
from campaign_workers.ports.entry_service import EligibleQuery
from campaign_workers.testing.builders import (
    CREATED,
    assignment,
    offer_code_request,
    text_message,
)
from tests.contracts.http_worlds import secrets

SECRET: Final = "+12125550162"
NOWHERE: Final = "http://127.0.0.1:1"
QUERY: Final = EligibleQuery(campaign_id="tour", market_ids=("nyc",))
CANDIDATE: Final = {
    "globalUserId": "g1",
    "email": SECRET,
    "marketIds": ["nyc"],
    "rawScore": 1,
    "score": 0.5,
    "verdict": 1,
    "previouslySelected": False,
    "codes": [{"marketId": None, "code": SECRET}],
}
RESULT: Final = {"results": [{"outcome": "updated"}]}

ENTRY = HttpEntryService(NOWHERE, secrets())
CODE = HttpCodeService(NOWHERE, secrets())
CAMPAIGN = HttpCampaignService(NOWHERE, secrets())
USER = HttpUserService(NOWHERE, secrets())
PACMAN = HttpOfferCodes(NOWHERE, secrets())
SMS = HttpSmsService(NOWHERE, secrets(), SteppedClock(CREATED))

Ask = Callable[[], object]

CALLS: Final[dict[str, tuple[Client, Ask, Any]]] = {
    "campaign": (CAMPAIGN, lambda: CAMPAIGN.campaign("tour"), {"_id": "tour", "name": SECRET}),
    "markets": (CAMPAIGN, lambda: CAMPAIGN.markets("tour"), {"markets": [{"id": "nyc"}]}),
    "categories": (
        CAMPAIGN,
        lambda: CAMPAIGN.campaign_ids([1]),
        {"campaigns": [{"categoryId": 1, "campaignId": "tour"}]},
    ),
    "candidates": (
        ENTRY,
        lambda: next(ENTRY.eligible(QUERY)),
        {"candidates": [CANDIDATE], "next": None},
    ),
    "codes": (
        ENTRY,
        lambda: ENTRY.codes("tour", ["g1"]),
        {
            "fans": [
                {
                    "globalUserId": "g1",
                    "codes": [{"code": SECRET, "created": "2026-11-20T17:00:00Z"}],
                }
            ]
        },
    ),
    "assigned": (ENTRY, lambda: ENTRY.assign_codes("tour", [assignment()]), RESULT),
    "assigned codes": (CODE, lambda: CODE.assign("tour", [assignment()]), RESULT),
    "reserved": (
        CODE,
        lambda: CODE.reserve("tour", "nyc", 2, reserve_id="r1"),
        {"reserveId": "r1", "codes": [SECRET], "expires": "2026-11-20T17:00:00Z"},
    ),
    "released": (CODE, lambda: CODE.release("r1", ["A"]), {"released": 1}),
    "users": (
        USER,
        lambda: USER.user_ids(["g1"]),
        {"users": [{"globalUserId": "g1", "userId": SECRET}]},
    ),
    "made": (PACMAN, lambda: asyncio.run(PACMAN.create(offer_code_request())), {"code": SECRET}),
    "sent": (
        SMS,
        lambda: asyncio.run(SMS.send(text_message())),
        {"id": "m1", "state": "accepted"},
    ),
}
"""What is asked, and an answer that is as documented."""


class Answering:
    """A session that answers the same to every call."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def send(self, _: ServiceRequest) -> Any:
        return self.content


class AnsweringLater(Answering):
    """The same for coroutines."""

    async def send(self, _: ServiceRequest) -> Any:
        return self.content


def answered(name: str, content: Any) -> object:
    """What a client makes of an answer."""
    client, ask, _ = CALLS[name]
    kind = AnsweringLater if client in {PACMAN, SMS} else Answering
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(client, "_session", kind(content))
        return ask()


def raised(name: str, content: Any) -> RetryLater | None:
    """The error that an answer leads to, if it does."""
    try:
        answered(name, content)
    except RetryLater as error:
        return error
    return None


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every node of a document."""
    yield path
    children = content.items() if isinstance(content, dict) else ()
    for name, child in enumerate(content) if isinstance(content, list) else children:
        yield from places(child, (*path, name))


def put(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at a path; with `...` without what is there."""
    if not path:
        return None if value is ... else value
    changed = copy.deepcopy(content)
    node = changed
    for step in path[:-1]:
        node = node[step]
    if value is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return changed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just(SECRET), inner),
    max_leaves=4,
)


@pytest.mark.parametrize("name", CALLS)
def test_a_documented_answer_is_understood(name: str) -> None:
    """What is as documented raises nothing, whatever else comes with it."""
    content = CALLS[name][2]
    answered(name, content | {"newField": [1, {"x": SECRET}]})


@given(name=st.sampled_from(sorted(CALLS)), data=st.data())
def test_whatever_comes_is_told_without_its_values(name: str, data: st.DataObject) -> None:
    """An answer changed anywhere is understood, or refused by an error that tells no value."""
    content = CALLS[name][2]
    path = data.draw(st.sampled_from(list(places(content))))
    changed = put(content, path, data.draw(json_values | st.just(...)))
    error = raised(name, changed)
    assert SECRET not in f"{error!r} {error and error.__cause__!r}"
    assert error is None or f"{CALLS[name][0].name} service" in str(error)
    assert error is None or "correlation id" in str(error)


@pytest.mark.parametrize(
    ("name", "path", "value", "field"),
    [
        ("campaign", ("_id",), "other", "_id"),
        ("campaign", ("name",), 5, "name"),
        ("markets", ("markets",), {}, "markets"),
        ("markets", ("markets", 0, "id"), "../up", r"markets\[0\].id"),
        ("categories", ("campaigns", 0, "categoryId"), True, r"campaigns\[0\].categoryId"),
        ("candidates", ("candidates", 0), [], "candidates"),
        ("candidates", ("candidates", 0, "globalUserId"), None, "globalUserId"),
        ("candidates", ("candidates", 0, "rawScore"), "1", "rawScore"),
        ("candidates", ("candidates", 0, "score"), True, "score"),
        ("candidates", ("candidates", 0, "verdict"), 0, "verdict"),
        ("candidates", ("candidates", 0, "marketIds"), [1], "marketIds"),
        ("candidates", ("candidates", 0, "codes", 0, "code"), ..., "codes.code"),
        ("candidates", ("next",), 5, "next"),
        ("codes", ("fans", 0, "codes", 0, "created"), "2026-11-20T17:00:00", "created"),
        ("assigned", ("results",), [], "results"),
        ("assigned codes", ("results", 0, "outcome"), "perhaps", r"results\[0\].outcome"),
        ("reserved", ("reserveId",), "r2", "reserveId"),
        ("reserved", ("codes",), ["A", "A"], "codes"),
        ("reserved", ("codes",), ["A", "B", "C"], "codes"),
        ("released", ("released",), 1.5, "released"),
        ("users", ("users", 0, "userId"), ..., r"users\[0\].userId: missing"),
        ("made", ("code",), " ", "code"),
        ("sent", ("id",), "m2", "id"),
        ("sent", ("state",), "queued", "state"),
    ],
)
def test_the_field_is_named(name: str, path: tuple[Any, ...], value: Any, field: str) -> None:
    """The error names the field that is wrong."""
    with pytest.raises(RetryLater, match=f"not as documented: .*{field}"):
        answered(name, put(CALLS[name][2], path, value))


@pytest.mark.parametrize("name", ["assigned", "reserved", "made", "sent"])
def test_what_was_changed_is_not_known_then(name: str) -> None:
    """When a request changes something, an answer that cannot be read leaves its outcome open."""
    with pytest.raises(OutcomeUnknown):
        answered(name, [])


def test_a_cursor_that_leads_nowhere_is_noticed() -> None:
    """A service that gives the cursor of the same page again does not keep us for ever."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ENTRY, "_session", Answering({"candidates": [], "next": "again"}))
        with pytest.raises(RetryLater, match="next"):
            list(ENTRY.eligible(QUERY))
