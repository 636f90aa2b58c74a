"""Retries and errors of the clients when services fail."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import attrs
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from campaign_workers.adapters.http._client.requests import ServiceBusy, ServiceResponse
from campaign_workers.adapters.http._client.response_policy import retry_after
from campaign_workers.adapters.http.campaign import HttpCampaignService
from campaign_workers.adapters.http.pacman import HttpOfferCodes
from campaign_workers.adapters.http.sms import HttpSmsService
from campaign_workers.adapters.http.user import HttpUserService
from campaign_workers.domain.errors import (
    CampaignError,
    NotFound,
    OutcomeUnknown,
    PermanentFailure,
    RetryLater,
)
from campaign_workers.doubles import Fault, FaultKind
from campaign_workers.testing.builders import campaign, offer_code_request, text_message
from tests.contracts.http_worlds import LIMITS, Server, World, secrets, world


@pytest.fixture
def fresh(http_server: Server) -> World:
    """Return a world with a campaign."""
    made = world(http_server, channels={"#tour"})
    made.behind.campaigns.put(campaign())
    return made


@pytest.fixture
def campaigns(fresh: World) -> Iterator[HttpCampaignService]:
    """Return a client of the campaign service."""
    with HttpCampaignService(fresh.at("campaign"), secrets(), limits=LIMITS) as client:
        yield client


def injected_faults(world: World, kind: FaultKind) -> int:
    """Return how often a kind of fault was injected."""
    return sum(
        times for (_, found), times in world.doubles.faults.injected.items() if found is kind
    )


@pytest.mark.parametrize("kind", ["reset", "answer-lost", "garbage", "error=500", "too-many=0"])
def test_transient_failures_are_retried(
    fresh: World, campaigns: HttpCampaignService, kind: str
) -> None:
    """Three consecutive failures are retried."""
    fault = Fault.parse(kind)
    fresh.doubles.faults.inject(fault, times=3)
    assert campaigns.campaign("tour") == campaign()
    assert injected_faults(fresh, fault.kind) == 3


@pytest.mark.parametrize("kind", ["reset", "garbage", "error=502", "error=503", "too-many=0"])
def test_retries_are_limited(fresh: World, campaigns: HttpCampaignService, kind: str) -> None:
    """After the last attempt the error names service, path and correlation id."""
    fault = Fault.parse(kind)
    fresh.doubles.faults.inject(fault, times=99)
    with pytest.raises(RetryLater, match=r"campaign service: .*/campaigns/tour.*correlation id \w"):
        campaigns.campaign("tour")
    assert injected_faults(fresh, fault.kind) == LIMITS.attempts


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 410, 413, 422])
def test_client_errors_are_not_retried(
    fresh: World, campaigns: HttpCampaignService, status: int
) -> None:
    """No 4xx status but 429 is retried."""
    fresh.doubles.faults.inject(Fault(FaultKind.ERROR, status), times=99)
    with pytest.raises(CampaignError):
        campaigns.markets("tour")
    assert injected_faults(fresh, FaultKind.ERROR) == 1


def test_only_422_and_a_reused_key_are_permanent(fresh: World) -> None:
    """A refused token and an undocumented status raise `RetryLater`."""
    codes = HttpOfferCodes(fresh.at("pacman"), secrets(), limits=LIMITS)

    def error_type(status: int) -> type[BaseException]:
        fresh.doubles.faults.inject(Fault(FaultKind.ERROR, status))
        with pytest.raises(CampaignError) as caught:
            asyncio.run(codes.create(offer_code_request()))
        return caught.type

    assert {error_type(409), error_type(422)} == {PermanentFailure}
    assert {error_type(403), error_type(410)} == {RetryLater}


def test_a_conflict_of_a_text_leaves_the_outcome_unknown(fresh: World) -> None:
    """If 409 were a refusal, the fan would get an e-mail in addition to the text."""
    sms = HttpSmsService(fresh.at("sms"), secrets(), fresh.clock)
    fresh.doubles.faults.inject(Fault(FaultKind.ERROR, 409))
    with pytest.raises(OutcomeUnknown):
        asyncio.run(sms.send(text_message()))


def test_another_conflict_leaves_the_outcome_unknown(http_server: Server) -> None:
    """A service may return 409 while the first attempt is still in progress."""

    async def conflict(_: Request) -> Response:
        return Response(status_code=409)

    url = http_server.add_app(Starlette(routes=[Route("/offer-codes", conflict, methods=["POST"])]))
    with pytest.raises(OutcomeUnknown, match="status 409"):
        asyncio.run(HttpOfferCodes(url, secrets(), limits=LIMITS).create(offer_code_request()))


def test_a_404_of_another_server_is_no_missing_campaign(fresh: World) -> None:
    """Only a 404 with the service's problem document raises `NotFound`."""
    with (
        HttpCampaignService(f"{fresh.url}/elsewhere", secrets(), limits=LIMITS) as lost,
        pytest.raises(RetryLater),
    ):
        lost.campaign("tour")
    with HttpCampaignService(fresh.at("campaign"), secrets(), limits=LIMITS) as client:
        with pytest.raises(NotFound):
            client.campaign("nowhere")
        with pytest.raises(NotFound):
            client.campaign("../campaigns/tour")


def test_a_damaged_problem_is_retried(fresh: World, campaigns: HttpCampaignService) -> None:
    """A damaged problem document is retried."""
    fresh.doubles.faults.inject(Fault(FaultKind.GARBAGE))
    with pytest.raises(NotFound):
        campaigns.campaign("nowhere")


def test_a_failed_connection_has_a_known_outcome() -> None:
    """Without a connection nothing was carried out, so the outcome is known."""
    sms = HttpSmsService("http://127.0.0.1:1", secrets(), clock=None, limits=LIMITS)  # type: ignore[arg-type]
    with pytest.raises(RetryLater) as caught:
        asyncio.run(sms.send(text_message()))
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize("lost", ["answer-lost", "garbage", "error=500", "error=504", "reset"])
@pytest.mark.parametrize("then", [None, "error=503", "too-many=0", "error=403"])
def test_a_lost_response_stays_unknown(fresh: World, lost: str, then: str | None) -> None:
    """After one lost response the outcome is unknown, whatever later attempts return."""
    sms = HttpSmsService(fresh.at("sms"), secrets(), fresh.clock, limits=LIMITS)
    board = fresh.doubles.faults
    board.inject(Fault.parse(lost), times=1 if then else 4)
    if then:
        board.inject(Fault.parse(then), times=3)
    with pytest.raises(OutcomeUnknown):
        asyncio.run(sms.send(text_message()))
    board.clear()
    asyncio.run(sms.send(text_message()))
    assert [text.message for text in fresh.behind.sms.accepted_texts()] == [text_message()]


def test_retry_after_is_respected(fresh: World, campaigns: HttpCampaignService) -> None:
    """The next attempt is not made before `Retry-After`."""
    fresh.doubles.faults.inject(Fault(FaultKind.TOO_MANY, 1))
    began = time.monotonic()
    campaigns.campaign("tour")
    assert time.monotonic() - began >= 1


def test_a_long_retry_after_is_not_waited_for(fresh: World, campaigns: HttpCampaignService) -> None:
    """A `Retry-After` over the limit raises `ServiceBusy` at once."""
    fresh.doubles.faults.inject(Fault(FaultKind.TOO_MANY, 30))
    with pytest.raises(ServiceBusy, match="30 s"):
        campaigns.campaign("tour")
    assert injected_faults(fresh, FaultKind.TOO_MANY) == 1


def test_a_text_has_one_attempt(fresh: World) -> None:
    """The SMS client waits for `Retry-After`, then raises; the worker retries."""
    sms = HttpSmsService(fresh.at("sms"), secrets(), fresh.clock)
    fresh.doubles.faults.inject(Fault(FaultKind.TOO_MANY, 7))
    before = fresh.clock.now()
    with pytest.raises(RetryLater):
        asyncio.run(sms.send(text_message()))
    assert fresh.clock.now() - before == timedelta(seconds=7)
    asyncio.run(sms.send(text_message()))


def test_a_long_retry_after_pauses_all_texts(fresh: World) -> None:
    """Until a long `Retry-After` is over, the SMS service gets no request."""
    sms = HttpSmsService(fresh.at("sms"), secrets(), fresh.clock)
    fresh.doubles.faults.inject(Fault(FaultKind.TOO_MANY, 90))
    before = fresh.clock.now()
    for seconds in (0, 1, 88):
        fresh.clock.advance(timedelta(seconds=seconds))
        with pytest.raises(ServiceBusy):
            asyncio.run(sms.send(text_message(f"after {seconds} s")))
    assert fresh.clock.now() - before == timedelta(seconds=89)
    fresh.clock.advance(timedelta(seconds=1))
    asyncio.run(sms.send(text_message()))
    assert [text.message for text in fresh.behind.sms.accepted_texts()] == [text_message()]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        (" 0 ", 0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
    ],
)
def test_retry_after_is_parsed(value: str, seconds: float | None) -> None:
    """Values that are neither seconds nor a date are ignored."""
    assert retry_after(busy_response(value)) == seconds


def test_retry_after_may_be_a_date() -> None:
    """A date is converted to seconds; a past one to zero."""
    now = datetime.now(UTC)
    later = retry_after(busy_response(format_datetime(now + timedelta(seconds=60))))
    assert later == pytest.approx(60, abs=3)
    assert retry_after(busy_response(format_datetime(now - timedelta(days=1)))) == 0


def busy_response(value: str) -> ServiceResponse:
    """Return a 429 response."""
    return ServiceResponse(status=429, headers={"retry-after": value}, body=b"")


@pytest.mark.parametrize("fault", ["drip=0.5", "latency=5"])
def test_an_attempt_has_a_timeout(fresh: World, fault: str) -> None:
    """A silent or slow service is disconnected."""
    limits = attrs.evolve(LIMITS, read_timeout_seconds=0.3, attempt_timeout_seconds=0.5, attempts=1)
    fresh.doubles.faults.inject(Fault.parse(fault))
    began = time.monotonic()
    with (
        HttpUserService(fresh.at("user"), secrets(), limits=limits) as users,
        pytest.raises(RetryLater),
    ):
        users.user_ids(["g1"])
    assert time.monotonic() - began < 4


def test_a_response_has_a_size_limit(fresh: World) -> None:
    """A response over the size limit is not read to its end."""
    fresh.behind.users.put("g1", "u" * 5000)
    limits = attrs.evolve(LIMITS, max_response_bytes=4096, attempts=1)
    with (
        HttpUserService(fresh.at("user"), secrets(), limits=limits) as users,
        pytest.raises(RetryLater, match="larger than 4096 bytes"),
    ):
        users.user_ids(["g1"])
