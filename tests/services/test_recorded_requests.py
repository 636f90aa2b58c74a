"""The requests of every client are documented, have one key for each call, and log no secret."""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

import attrs
import pytest

from campaign_workers.adapters.http.campaign import HttpCampaignService
from campaign_workers.adapters.http.code import HttpCodeService
from campaign_workers.adapters.http.entry import HttpEntryService
from campaign_workers.adapters.http.pacman import HttpOfferCodes
from campaign_workers.adapters.http.slack import SlackChat
from campaign_workers.adapters.http.sms import HttpSmsService
from campaign_workers.adapters.http.user import HttpUserService
from campaign_workers.domain.errors import PermanentFailure
from campaign_workers.doubles import Fault
from campaign_workers.doubles.documents import SERVICES
from campaign_workers.ports.entry_service import EligibleQuery
from campaign_workers.testing.builders import (
    assignment,
    batch,
    campaign,
    offer_code_request,
    registration,
    scoring,
    text_message,
)
from tests.contracts.http_worlds import EVERY_FAULT, LIMITS, Server, World, secrets, world
from tests.services.example_requests import every_operation
from tests.services.request_recorder import Recorder, assert_request_documented

TOKEN: Final = "t0ken-of-ours"
PHONE, EMAIL, NAME, CODE = "+12125550162", "ada@mail.example", "Adalovelace", "C0DE-K7Q2"
SECRETS: Final = (TOKEN, PHONE, EMAIL, NAME, CODE)
DAYS: Final = 12
"""The number of rounds in which every fault occurs."""


@attrs.frozen(kw_only=True)
class Day:
    """A world and the recorder of its requests."""

    world: World
    recorder: Recorder


@pytest.fixture
def day(http_server: Server) -> Day:
    """Return a world in which every fault occurs."""
    made = world(http_server, channels={"#tour"}, dead_endings=("0199",))
    made.doubles.tokens[TOKEN] = list(made.doubles.services)
    recorder = Recorder(made.doubles.app)
    made = attrs.evolve(made, url=http_server.add_app(recorder))
    made.behind.campaigns.put(campaign(category_id=7))
    made.behind.codes.load("tour", [CODE, *(f"CODE{number}" for number in range(50))])
    person = {"email": EMAIL, "phone": PHONE, "firstName": NAME}
    fans = [registration(f"g{number}", **person) for number in range(7)]
    scores = [scoring(f"g{number}", email=EMAIL, phone=PHONE) for number in range(7)]
    made.behind.entries.consume(batch([*fans, *scores]))
    made.doubles.faults.inject_shares(EVERY_FAULT, seed="day", in_a_row=2)
    return Day(world=made, recorder=recorder)


def call_blocking_clients(at: Callable[[str], str], number: int) -> None:
    """Call every method of every blocking client."""
    with ExitStack() as stack:
        opened = stack.enter_context
        tokens = secrets(TOKEN)
        campaigns = opened(HttpCampaignService(at("campaign"), tokens, limits=LIMITS))
        entries = opened(HttpEntryService(at("entry"), tokens, limits=LIMITS, page_size=3))
        codes = opened(HttpCodeService(at("code"), tokens, limits=LIMITS))
        users = opened(HttpUserService(at("user"), tokens, limits=LIMITS))
        slack = opened(SlackChat(at("slack"), tokens, limits=LIMITS))
        campaigns.campaign("tour")
        campaigns.markets("tour")
        campaigns.campaign_ids([7, -1, number])
        bounds: dict[str, Any] = {"min_score": 0.1, "max_score": None, "reassign": True}
        list(entries.eligible(EligibleQuery(campaign_id="tour", market_ids=("nyc",), **bounds)))
        given = [
            assignment("g1", CODE),
            assignment(f"n{number}", "TM", market_id=None, created=None),
        ]
        entries.assign_codes("tour", given)
        entries.codes("tour", ["g1", "unknown"])
        reservation = codes.reserve("tour", "chi", 2, reserve_id=f"a/b c#{number}")
        codes.release(reservation.reserve_id, reservation.codes[1:])
        codes.assign("tour", [assignment("g1", CODE, user_id="u1")])
        users.user_ids(["g1", "g2"])
        slack.post("#tour", f"{number} entries", [{"type": "divider"}])


def call_async_clients(at: Callable[[str], str], day: World, number: int) -> None:
    """Call every method of every asynchronous client."""
    offers = HttpOfferCodes(at("pacman"), secrets(TOKEN), limits=LIMITS)
    sms = HttpSmsService(at("sms"), secrets(TOKEN), day.clock, limits=LIMITS)
    words = {"text": f"{NAME}, your code is {CODE}", "metadata": {"campaignId": "tour"}}

    async def together() -> None:
        await asyncio.gather(
            *(offers.create(offer_code_request(f"{number}-{n}")) for n in range(3)),
            *(sms.send(text_message(f"{number}-{n}", phone=PHONE, **words)) for n in range(3)),
        )
        with pytest.raises(PermanentFailure):
            await sms.send(text_message(f"{number}-x", phone="+12125550199", **words))

    asyncio.run(together())


def test_requests_are_documented_despite_faults(day: Day, caplog: pytest.LogCaptureFixture) -> None:
    """Every request, repeats included, matches its document; logs have no secret."""
    caplog.set_level(logging.DEBUG)
    for number in range(DAYS):
        call_blocking_clients(day.world.at, number)
        call_async_clients(day.world.at, day.world, number)
    called = [assert_request_documented(request) for request in day.recorder.requests]
    assert set(called) == {operation.name for operation in every_operation()}
    kinds = {kind for _, kind in day.world.doubles.faults.injected}
    assert kinds == {fault.kind for fault in EVERY_FAULT}
    check_keys(day.recorder)
    logged = "\n".join(f"{record.getMessage()} {vars(record)!r}" for record in caplog.records)
    assert "stamina.retry_scheduled" in logged
    assert not [secret for secret in SECRETS if secret in logged]


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=lambda fault: f"{fault.kind}-{fault.value:g}")
def test_every_fault_is_overcome_at_every_service(day: Day, fault: Fault) -> None:
    """Each kind of fault occurs at each service, and every call succeeds in the end."""
    board = day.world.doubles.faults
    board.clear()
    for service in SERVICES:
        board.inject(fault, service=service, times=LIMITS.attempts - 1)
    call_blocking_clients(day.world.at, 1)
    call_async_clients(day.world.at, day.world, 1)
    assert board.injected.keys() == {(service, fault.kind) for service in SERVICES}


def check_keys(recorder: Recorder) -> None:
    """All attempts of a call have one key and one body, and no two calls share a key."""
    calls: dict[str, set[tuple[str, bytes]]] = defaultdict(set)
    for request in recorder.requests:
        if request.method == "POST":
            call = request.headers["x-correlation-id"]
            key = f"{request.service} {request.headers['idempotency-key']}"
            calls[call].add((key, request.body))
    assert all(len(attempts) == 1 for attempts in calls.values())
    keys = [key for attempts in calls.values() for key, _ in attempts]
    assert len(set(keys)) == len(keys)
    assert len(calls) < sum(request.method == "POST" for request in recorder.requests)


def test_urls_have_no_personal_data(day: Day) -> None:
    """URLs contain only ids of campaigns and categories."""
    call_blocking_clients(day.world.at, 1)
    call_async_clients(day.world.at, day.world, 1)
    places = json.dumps([(request.path, request.query) for request in day.recorder.requests])
    assert "g1" not in places
    assert not [secret for secret in SECRETS if secret in places]
