"""Errors about malformed responses name the service, the field and the request, but no value."""

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
"""A call of a client, and the content of a documented response."""


class FixedSession:
    """A session that returns the same content for every request."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def send(self, _: ServiceRequest) -> Any:
        return self.content


class AsyncFixedSession(FixedSession):
    """The same, for coroutines."""

    async def send(self, _: ServiceRequest) -> Any:
        return self.content


def call_with_response(name: str, content: Any) -> object:
    """Return the result of a client for a response."""
    client, ask, _ = CALLS[name]
    kind = AsyncFixedSession if client in {PACMAN, SMS} else FixedSession
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(client, "_session", kind(content))
        return ask()


def error_for(name: str, content: Any) -> RetryLater | None:
    """Return the error of a client for a response, None if there is none."""
    try:
        call_with_response(name, content)
    except RetryLater as error:
        return error
    return None


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every node of a document."""
    yield path
    children = content.items() if isinstance(content, dict) else ()
    for name, child in enumerate(content) if isinstance(content, list) else children:
        yield from places(child, (*path, name))


def put(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy with another value at a path, or without it for `...`."""
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
def test_documented_responses_are_accepted(name: str) -> None:
    """A documented response is accepted, even with unknown fields."""
    content = CALLS[name][2]
    call_with_response(name, content | {"newField": [1, {"x": SECRET}]})


@given(name=st.sampled_from(sorted(CALLS)), data=st.data())
def test_errors_quote_no_value(name: str, data: st.DataObject) -> None:
    """A response with any change is accepted, or refused with an error that quotes no value."""
    content = CALLS[name][2]
    path = data.draw(st.sampled_from(list(places(content))))
    changed = put(content, path, data.draw(json_values | st.just(...)))
    error = error_for(name, changed)
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
        call_with_response(name, put(CALLS[name][2], path, value))


@pytest.mark.parametrize("name", ["assigned", "reserved", "made", "sent"])
def test_a_malformed_response_leaves_the_outcome_unknown(name: str) -> None:
    """After a request with an effect, a malformed response raises `OutcomeUnknown`."""
    with pytest.raises(OutcomeUnknown):
        call_with_response(name, [])


def test_a_repeated_cursor_is_refused() -> None:
    """A service that returns the same cursor again does not cause an endless loop."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ENTRY, "_session", FixedSession({"candidates": [], "next": "again"}))
        with pytest.raises(RetryLater, match="next"):
            list(ENTRY.eligible(QUERY))
