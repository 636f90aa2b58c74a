"""What the clients make of services that misbehave."""

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
    """A world with a campaign."""
    made = world(http_server, channels={"#tour"})
    made.behind.campaigns.put(campaign())
    return made


@pytest.fixture
def campaigns(fresh: World) -> Iterator[HttpCampaignService]:
    """The client of the campaign service."""
    with HttpCampaignService(fresh.at("campaign"), secrets(), limits=LIMITS) as client:
        yield client


def struck(world: World, kind: FaultKind) -> int:
    """How often a fault struck."""
    return sum(
        times for (_, found), times in world.doubles.faults.injected.items() if found is kind
    )


@pytest.mark.parametrize("kind", ["reset", "answer-lost", "garbage", "error=500", "too-many=0"])
def test_what_passes_is_tried_again(
    fresh: World, campaigns: HttpCampaignService, kind: str
) -> None:
    """Three failures in a row are one more than nothing."""
    fault = Fault.parse(kind)
    fresh.doubles.faults.inject(fault, times=3)
    assert campaigns.campaign("tour") == campaign()
    assert struck(fresh, fault.kind) == 3


@pytest.mark.parametrize("kind", ["reset", "garbage", "error=502", "error=503", "too-many=0"])
def test_what_does_not_pass_is_given_up(
    fresh: World, campaigns: HttpCampaignService, kind: str
) -> None:
    """After the last try the work is given back; the error names service, place and call."""
    fault = Fault.parse(kind)
    fresh.doubles.faults.inject(fault, times=99)
    with pytest.raises(RetryLater, match=r"campaign service: .*/campaigns/tour.*correlation id \w"):
        campaigns.campaign("tour")
    assert struck(fresh, fault.kind) == LIMITS.attempts


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 410, 413, 422])
def test_what_cannot_pass_is_not_tried_again(
    fresh: World, campaigns: HttpCampaignService, status: int
) -> None:
    """No 4xx but 429 is asked for twice."""
    fresh.doubles.faults.inject(Fault(FaultKind.ERROR, status), times=99)
    with pytest.raises(CampaignError):
        campaigns.markets("tour")
    assert struck(fresh, FaultKind.ERROR) == 1


def test_only_a_verdict_refuses_for_good(fresh: World) -> None:
    """A reused key and 422 refuse the request; a refused token or an odd answer is no verdict."""
    codes = HttpOfferCodes(fresh.at("pacman"), secrets(), limits=LIMITS)

    def raised(status: int) -> type[BaseException]:
        fresh.doubles.faults.inject(Fault(FaultKind.ERROR, status))
        with pytest.raises(CampaignError) as caught:
            asyncio.run(codes.create(offer_code_request()))
        return caught.type

    assert {raised(409), raised(422)} == {PermanentFailure}
    assert {raised(401 + 2), raised(410)} == {RetryLater}


def test_a_conflict_over_a_text_is_no_refusal(fresh: World) -> None:
    """A repeat may be told that its id is taken; an e-mail would then be the second notice."""
    sms = HttpSmsService(fresh.at("sms"), secrets(), fresh.clock)
    fresh.doubles.faults.inject(Fault(FaultKind.ERROR, 409))
    with pytest.raises(OutcomeUnknown):
        asyncio.run(sms.send(text_message()))


def test_a_conflict_of_another_kind_is_no_reused_key(http_server: Server) -> None:
    """A service may say 409 while the first try is still under way; the work comes later."""

    async def still_at_it(_: Request) -> Response:
        return Response(status_code=409)

    url = http_server.add_app(
        Starlette(routes=[Route("/offer-codes", still_at_it, methods=["POST"])])
    )
    with pytest.raises(OutcomeUnknown, match="status 409"):
        asyncio.run(HttpOfferCodes(url, secrets(), limits=LIMITS).create(offer_code_request()))


def test_a_wrong_address_is_no_missing_campaign(fresh: World) -> None:
    """A 404 that is not the service's own leaves the work to wait; the service's own says so."""
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


def test_a_spoilt_refusal_is_asked_for_again(fresh: World, campaigns: HttpCampaignService) -> None:
    """A "not found" that cannot be read is neither that nor a wrong address."""
    fresh.doubles.faults.inject(Fault(FaultKind.GARBAGE))
    with pytest.raises(NotFound):
        campaigns.campaign("nowhere")


def test_an_unreachable_service_was_asked_nothing() -> None:
    """When no connection comes about nothing can have happened."""
    sms = HttpSmsService("http://127.0.0.1:1", secrets(), clock=None, limits=LIMITS)  # type: ignore[arg-type]
    with pytest.raises(RetryLater) as caught:
        asyncio.run(sms.send(text_message()))
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize("lost", ["answer-lost", "garbage", "error=500", "error=504", "reset"])
@pytest.mark.parametrize("then", [None, "error=503", "too-many=0", "error=403"])
def test_what_may_have_happened_stays_unknown(fresh: World, lost: str, then: str | None) -> None:
    """One lost answer is enough, whatever the later tries are told; a repeat clears it up."""
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


def test_a_busy_service_is_left_alone(fresh: World, campaigns: HttpCampaignService) -> None:
    """The next try comes when `Retry-After` says, not earlier."""
    fresh.doubles.faults.inject(Fault(FaultKind.TOO_MANY, 1))
    began = time.monotonic()
    campaigns.campaign("tour")
    assert time.monotonic() - began >= 1


def test_nobody_waits_too_long(fresh: World, campaigns: HttpCampaignService) -> None:
    """A service that asks for more time than there is gets all of it: the work comes later."""
    fresh.doubles.faults.inject(Fault(FaultKind.TOO_MANY, 30))
    with pytest.raises(ServiceBusy, match="30 s"):
        campaigns.campaign("tour")
    assert struck(fresh, FaultKind.TOO_MANY) == 1


def test_a_text_has_one_try(fresh: World) -> None:
    """The SMS client leaves trying again to the wave, after the time that the service asks for."""
    sms = HttpSmsService(fresh.at("sms"), secrets(), fresh.clock)
    fresh.doubles.faults.inject(Fault(FaultKind.TOO_MANY, 7))
    before = fresh.clock.now()
    with pytest.raises(RetryLater):
        asyncio.run(sms.send(text_message()))
    assert fresh.clock.now() - before == timedelta(seconds=7)
    asyncio.run(sms.send(text_message()))


def test_a_long_wait_holds_for_every_text(fresh: World) -> None:
    """Nobody waits for minutes in a call; until then the SMS service is asked for nothing more."""
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
    ("asked", "seconds"),
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
def test_retry_after_is_read(asked: str, seconds: float | None) -> None:
    """Seconds count; what is neither seconds nor a date is as if it were not there."""
    assert retry_after(answer(asked)) == seconds


def test_retry_after_may_be_a_date() -> None:
    """A date says until when; one that has passed asks for nothing."""
    now = datetime.now(UTC)
    later = retry_after(answer(format_datetime(now + timedelta(seconds=60))))
    assert later == pytest.approx(60, abs=3)
    assert retry_after(answer(format_datetime(now - timedelta(days=1)))) == 0


def answer(retry_after: str) -> ServiceResponse:
    """A busy service's answer."""
    return ServiceResponse(status=429, headers={"retry-after": retry_after}, body=b"")


@pytest.mark.parametrize("fault", ["drip=0.5", "latency=5"])
def test_a_try_has_an_end(fresh: World, fault: str) -> None:
    """A service that is silent, or that drips for ever, is hung up on."""
    limits = attrs.evolve(LIMITS, read_timeout_seconds=0.3, attempt_timeout_seconds=0.5, attempts=1)
    fresh.doubles.faults.inject(Fault.parse(fault))
    began = time.monotonic()
    with (
        HttpUserService(fresh.at("user"), secrets(), limits=limits) as users,
        pytest.raises(RetryLater),
    ):
        users.user_ids(["g1"])
    assert time.monotonic() - began < 4


def test_an_answer_has_an_end(fresh: World) -> None:
    """An answer over the limit is not read to its end."""
    fresh.behind.users.put("g1", "u" * 5000)
    limits = attrs.evolve(LIMITS, max_response_bytes=4096, attempts=1)
    with (
        HttpUserService(fresh.at("user"), secrets(), limits=limits) as users,
        pytest.raises(RetryLater, match="larger than 4096 bytes"),
    ):
        users.user_ids(["g1"])
