"""The HTTP clients satisfy the contracts of their ports, with and without faults."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

import pytest

from campaign_workers.adapters.http.campaign import HttpCampaignService
from campaign_workers.adapters.http.code import HttpCodeService
from campaign_workers.adapters.http.entry import HttpEntryService
from campaign_workers.adapters.http.pacman import HttpOfferCodes
from campaign_workers.adapters.http.slack import SlackChat
from campaign_workers.adapters.http.sms import HttpSmsService
from campaign_workers.adapters.http.user import HttpUserService
from campaign_workers.doubles import Fault, FaultKind
from campaign_workers.ports.offer_codes import OfferCodeRequest
from campaign_workers.ports.sms_service import TextMessage
from campaign_workers.testing.builders import CREATED, batch, offer_code_request, text_message
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.campaign_service import CampaignServiceContract
from campaign_workers.testing.contracts.campaign_service import Plant as PlantCampaign
from campaign_workers.testing.contracts.candidates import Feed
from campaign_workers.testing.contracts.chat import ChatContract, Posted
from campaign_workers.testing.contracts.code_service import (
    Advance,
    Available,
    CodeServiceContract,
    Load,
)
from campaign_workers.testing.contracts.entry_service import EntryServiceContract
from campaign_workers.testing.contracts.offer_codes import OfferCodesContract
from campaign_workers.testing.contracts.sms_service import Accepted, SmsServiceContract
from campaign_workers.testing.contracts.user_service import Plant as PlantUser
from campaign_workers.testing.contracts.user_service import UserServiceContract
from tests.contracts.http_worlds import BEFORE, LIMITS, OverHttp, World, secrets
from tests.contracts.over_tables import FreshIds


class TestCampaignService(OverHttp, CampaignServiceContract):
    """`HttpCampaignService`."""

    @pytest.fixture
    def service(self, world: World) -> Iterator[HttpCampaignService]:
        with HttpCampaignService(world.at("campaign"), secrets(), limits=LIMITS) as service:
            yield service

    @pytest.fixture
    def plant(self, world: World) -> PlantCampaign:
        return world.behind.campaigns.put

    @pytest.fixture
    def outage(self, world: World) -> Outage:
        return world.doubles.faults.outage


class TestEntryService(OverHttp, EntryServiceContract):
    """`HttpEntryService`, with small pages, so that there are several."""

    @pytest.fixture
    def service(self, world: World) -> Iterator[HttpEntryService]:
        with HttpEntryService(world.at("entry"), secrets(), limits=LIMITS, page_size=4) as service:
            yield service

    @pytest.fixture
    def plant(self, world: World) -> PlantCampaign:
        return world.behind.campaigns.put

    @pytest.fixture
    def feed(self, world: World) -> Feed:
        return lambda kept: world.behind.entries.consume(batch(kept))

    @pytest.fixture
    def fresh_id(self) -> Callable[[], str]:
        return FreshIds()

    @pytest.fixture
    def outage(self, world: World) -> Outage:
        return world.doubles.faults.outage


class TestCodeService(OverHttp, CodeServiceContract):
    """`HttpCodeService`."""

    @pytest.fixture
    def service(self, world: World) -> Iterator[HttpCodeService]:
        with HttpCodeService(world.at("code"), secrets(), limits=LIMITS) as service:
            yield service

    @pytest.fixture
    def load(self, world: World) -> Load:
        return world.behind.codes.load

    @pytest.fixture
    def available(self, world: World) -> Available:
        return world.behind.codes.available

    @pytest.fixture
    def advance(self, world: World) -> Advance:
        return world.clock.advance

    @pytest.fixture
    def outage(self, world: World) -> Outage:
        return world.doubles.faults.outage


class TestUserService(OverHttp, UserServiceContract):
    """`HttpUserService`."""

    @pytest.fixture
    def service(self, world: World) -> Iterator[HttpUserService]:
        with HttpUserService(world.at("user"), secrets(), limits=LIMITS) as service:
            yield service

    @pytest.fixture
    def plant(self, world: World) -> PlantUser:
        return world.behind.users.put

    @pytest.fixture
    def outage(self, world: World) -> Outage:
        return world.doubles.faults.outage


class TestOfferCodes(OverHttp, OfferCodesContract):
    """`HttpOfferCodes`."""

    refusals: ClassVar[dict[str, Any]] = {
        "refuses": lambda request: request.product_id == "sold out"
    }

    @pytest.fixture
    def service(self, world: World) -> HttpOfferCodes:
        return HttpOfferCodes(world.at("pacman"), secrets(), limits=LIMITS)

    @pytest.fixture(params=["by rule", "by dates"])
    def refused(self, request: pytest.FixtureRequest) -> OfferCodeRequest:
        reasons: dict[str, dict[str, Any]] = {
            "by rule": {"product_id": "sold out"},
            "by dates": {"end": CREATED},
        }
        return offer_code_request("refused", **reasons[request.param])

    @pytest.fixture
    def outage(self, world: World) -> Outage:
        return world.doubles.faults.outage


class TestSmsService(OverHttp, SmsServiceContract):
    """`HttpSmsService`, configured to retry by itself."""

    refusals: ClassVar[dict[str, Any]] = {"dead_endings": ("0199",)}

    @pytest.fixture
    def service(self, world: World) -> HttpSmsService:
        return HttpSmsService(world.at("sms"), secrets(), world.clock, limits=LIMITS)

    @pytest.fixture
    def accepted(self, world: World) -> Accepted:
        return lambda: [text.message for text in world.behind.sms.accepted_texts()]

    @pytest.fixture(params=["out of service", "invalid number", "too long"])
    def refused(self, request: pytest.FixtureRequest) -> TextMessage:
        reasons = {
            "out of service": {"phone": "+12125550199"},
            "invalid number": {"phone": "555-CALL"},
            "too long": {"text": "x" * 1601},
        }
        return text_message(**reasons[request.param])

    @pytest.fixture
    def lose_answer(self, world: World) -> Callable[[], object]:
        return partial(
            world.doubles.faults.inject, Fault(FaultKind.ANSWER_LOST), times=LIMITS.attempts
        )

    @pytest.fixture
    def outage(self, world: World) -> Outage:
        return world.doubles.faults.outage


class TestChat(OverHttp, ChatContract):
    """`SlackChat`; Slack does not deduplicate, so a lost response may post twice."""

    faults: ClassVar[dict[Fault, float]] = BEFORE
    refusals: ClassVar[dict[str, Any]] = {"channels": {"#tour", "#stats"}}

    @pytest.fixture
    def chat(self, world: World) -> Iterator[SlackChat]:
        with SlackChat(world.at("slack"), secrets(), limits=LIMITS) as chat:
            yield chat

    @pytest.fixture
    def posted(self, world: World) -> Posted:
        def posted(channel: str) -> Sequence[tuple[str, Sequence[object]]]:
            return [(post.text, post.blocks) for post in world.behind.chat.posts(channel)]

        return posted  # type: ignore[return-value]

    @pytest.fixture
    def outage(self, world: World) -> Outage:
        return world.doubles.faults.outage
