"""Refused tokens, invalid URLs, and Slack's errors."""

import asyncio
import gc
import logging
from collections.abc import Callable

import attrs
import httpx
import pytest
import stamina

from campaign_workers.adapters.http._client.requests import HttpLimits, ServiceBusy
from campaign_workers.adapters.http.campaign import HttpCampaignService
from campaign_workers.adapters.http.pacman import HttpOfferCodes
from campaign_workers.adapters.http.slack import SlackChat
from campaign_workers.adapters.http.sms import HttpSmsService
from campaign_workers.adapters.http.user import HttpUserService
from campaign_workers.adapters.memory.system import MemorySecrets
from campaign_workers.domain.errors import (
    BadInput,
    CampaignError,
    OutcomeUnknown,
    PermanentFailure,
    RetryLater,
)
from campaign_workers.doubles import Fault, FaultKind
from campaign_workers.testing.builders import CREATED, offer_code_request, text_message
from tests.contracts.http_worlds import LIMITS, Server, World, secrets, world


@pytest.fixture
def fresh(http_server: Server) -> World:
    """Return a world with one channel."""
    return world(http_server, channels={"#tour"})


def test_a_refused_token_is_read_again(fresh: World) -> None:
    """A refused token is read again, and the same call continues with the new one."""
    store = secrets("old")
    with HttpUserService(fresh.at("user"), store, limits=LIMITS) as users:
        fresh.doubles.tokens["old"] = ["user"]
        assert users.user_ids(["g1"]) == {}
        del fresh.doubles.tokens["old"]
        store.write("services/user/token", "local")
        assert users.user_ids(["g1"]) == {}
        del fresh.doubles.tokens["local"]
        with pytest.raises(RetryLater, match="the token is refused, status 401, unauthorized"):
            users.user_ids(["g1"])


@attrs.define
class CountingSecrets:
    """Counts reads."""

    token: str = "local"
    reads: int = 0

    def read(self, _: str) -> str:
        self.reads += 1
        return self.token


def test_concurrent_calls_share_a_token_read(fresh: World) -> None:
    """Concurrently refused texts read the new token once, and all are sent."""
    store = CountingSecrets("old")
    sms = HttpSmsService(fresh.at("sms"), store, fresh.clock)

    async def wave() -> None:
        with pytest.raises(RetryLater):
            await sms.send(text_message("first"))
        store.token = "local"
        await asyncio.gather(*(sms.send(text_message(f"m{number}")) for number in range(100)))

    asyncio.run(wave())
    assert store.reads == 3
    assert len(list(fresh.behind.sms.accepted_texts())) == 100


def test_connections_close_with_the_event_loop(fresh: World) -> None:
    """Connections are closed with their event loop, after any number of waves."""

    def clients() -> list[httpx.AsyncClient]:
        gc.collect()
        return [item for item in gc.get_objects() if issubclass(type(item), httpx.AsyncClient)]

    sms = HttpSmsService(fresh.at("sms"), secrets(), fresh.clock)
    opened = []

    async def wave(number: int) -> None:
        await asyncio.gather(*(sms.send(text_message(f"{number}-{n}")) for n in range(10)))
        opened.append(len(clients()))

    before = len(clients())
    for number in range(3):
        asyncio.run(wave(number))
    assert opened == [before + 10] * 3
    assert len(clients()) == before


def test_a_missing_token_raises_retry_later(fresh: World) -> None:
    """A missing secret is not reported as a missing campaign."""
    with (
        HttpCampaignService(fresh.at("campaign"), MemorySecrets(), limits=LIMITS) as client,
        pytest.raises(RetryLater, match="services/campaign/token"),
    ):
        client.campaign("tour")


@pytest.mark.parametrize("token", ["", " ", "two words", "line\nbreak", "clé"])
def test_an_invalid_token_is_not_sent(fresh: World, token: str) -> None:
    """A secret that is not a token raises `RetryLater` and is not quoted."""
    with (
        HttpUserService(fresh.at("user"), secrets(token), limits=LIMITS) as users,
        pytest.raises(RetryLater, match="is not a valid bearer token") as caught,
    ):
        users.user_ids(["g1"])
    assert token.strip() == "" or token not in str(caught.value)


def test_the_reason_of_a_refusal_is_deterministic(
    fresh: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The error of a refusal has no correlation id; the log has it."""
    caplog.set_level(logging.INFO)
    codes = HttpOfferCodes(fresh.at("pacman"), secrets(), limits=LIMITS)
    reasons = set()
    for _ in range(2):
        with pytest.raises(PermanentFailure) as caught:
            asyncio.run(codes.create(offer_code_request(end=CREATED)))
        reasons.add(str(caught.value))
    assert reasons == {"pacman service: refused for good, status 422, refused (POST /offer-codes)"}
    assert caplog.text.count("POST /offer-codes, correlation id") == 2


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "x", "http://u:p@h", "http://h?q=1"])
def test_an_invalid_url_is_refused(url: str) -> None:
    """A client with an invalid base URL is not created."""
    with pytest.raises(BadInput, match="base_url"):
        HttpUserService(url, secrets())


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (lambda world: world.doubles.tokens.clear(), RetryLater),
        (lambda world: world.doubles.tokens.update(local=()), RetryLater),
        (
            lambda world: world.doubles.faults.inject(Fault(FaultKind.ERROR, 500), times=9),
            OutcomeUnknown,
        ),
        (lambda world: world.doubles.faults.inject(Fault(FaultKind.TOO_MANY, 99)), ServiceBusy),
        (lambda _: None, PermanentFailure),
    ],
    ids=["token", "scope", "failure", "busy", "channel"],
)
def test_slack_errors_are_mapped(
    fresh: World, error: Callable[[World], object], raised: type[CampaignError]
) -> None:
    """Slack's errors raise the same errors as those of other services."""
    error(fresh)
    with (
        SlackChat(fresh.at("slack"), secrets(), limits=LIMITS) as chat,
        pytest.raises(raised) as caught,
    ):
        chat.post("#nowhere", "hello")
    assert caught.type is raised


def test_a_lost_response_may_post_twice(fresh: World) -> None:
    """Slack does not deduplicate: a message is posted at least once."""
    fresh.doubles.faults.inject(Fault(FaultKind.ANSWER_LOST))
    with SlackChat(fresh.at("slack"), secrets(), limits=LIMITS) as chat:
        chat.post("#tour", "hello")
    assert {post.text for post in fresh.behind.chat.posts()} == {"hello"}


def test_retries_can_be_switched_off(fresh: World) -> None:
    """With stamina inactive, a lost response still raises `OutcomeUnknown`."""
    stamina.set_active(False)
    try:
        fresh.doubles.faults.inject(Fault(FaultKind.ANSWER_LOST))
        codes = HttpOfferCodes(fresh.at("pacman"), secrets(), limits=HttpLimits())
        with pytest.raises(OutcomeUnknown):
            asyncio.run(codes.create(offer_code_request()))
    finally:
        stamina.set_active(True)
