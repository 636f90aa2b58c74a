"""The fakes of users, offer codes, texts and chat satisfy the contracts of their ports."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from campaign_workers.adapters.fakes.codes import FakeOfferCodes
from campaign_workers.adapters.fakes.messages import FakeChat, FakeSmsService
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.adapters.fakes.users import FakeUserService
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.errors import OutcomeUnknown, PermanentFailure
from campaign_workers.ports.offer_codes import OfferCodeRequest
from campaign_workers.ports.sms_service import TextMessage
from campaign_workers.testing.builders import CREATED, offer_code_request, text_message
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.chat import ChatContract, Posted
from campaign_workers.testing.contracts.offer_codes import OfferCodesContract, create_all
from campaign_workers.testing.contracts.sms_service import Accepted, SmsServiceContract, send
from campaign_workers.testing.contracts.user_service import Plant, UserServiceContract
from tests.contracts.over_tables import OverTables


class TestUserService(OverTables, UserServiceContract):
    """`FakeUserService`."""

    @pytest.fixture
    def service(self, tables: Tables) -> FakeUserService:
        return FakeUserService(tables)

    @pytest.fixture
    def plant(self, service: FakeUserService) -> Plant:
        return service.put

    @pytest.fixture
    def outage(self, service: FakeUserService) -> Outage:
        return service.faults.outage


class TestOfferCodes(OverTables, OfferCodesContract):
    """`FakeOfferCodes`."""

    @pytest.fixture
    def service(self, tables: Tables) -> FakeOfferCodes:
        return FakeOfferCodes(tables, refuses=lambda request: request.product_id == "sold out")

    @pytest.fixture(params=["by choice", "by dates"])
    def refused(self, request: pytest.FixtureRequest) -> OfferCodeRequest:
        reasons: dict[str, dict[str, Any]] = {
            "by choice": {"product_id": "sold out"},
            "by dates": {"end": CREATED},
        }
        return offer_code_request("refused", **reasons[request.param])

    @pytest.fixture
    def outage(self, service: FakeOfferCodes) -> Outage:
        return service.faults.outage

    def test_codes_follow_from_keys(self, service: FakeOfferCodes, tables: Tables) -> None:
        """The same keys get the same codes everywhere."""
        elsewhere = FakeOfferCodes(lambda name: tables(f"elsewhere.{name}"))
        request = offer_code_request()
        assert create_all(service, request) == create_all(elsewhere, request)


class TestSmsService(OverTables, SmsServiceContract):
    """`FakeSmsService`."""

    @pytest.fixture
    def service(self, tables: Tables, clock: SteppedClock) -> FakeSmsService:
        return FakeSmsService(tables, clock, dead_endings=("0199",))

    @pytest.fixture
    def accepted(self, service: FakeSmsService) -> Accepted:
        return lambda: [text.message for text in service.accepted_texts()]

    @pytest.fixture(params=["dead", "no number", "too long"])
    def refused(self, request: pytest.FixtureRequest) -> TextMessage:
        reasons = {
            "dead": {"phone": "+12125550199"},
            "no number": {"phone": "555-CALL"},
            "too long": {"text": "x" * 1601},
        }
        return text_message(**reasons[request.param])

    @pytest.fixture
    def lose_answer(self, service: FakeSmsService) -> Callable[[], object]:
        return partial(service.faults.fail_next, OutcomeUnknown("no answer"), answer_lost=True)

    @pytest.fixture
    def outage(self, service: FakeSmsService) -> Outage:
        return service.faults.outage

    def test_texts_are_counted_by_group(self, service: FakeSmsService) -> None:
        """Accepted texts are listed by wave."""
        send(service, text_message("a"), text_message("b"), text_message("c", group="wave2"))
        with pytest.raises(PermanentFailure):
            send(service, text_message("d", phone="+12125550199"))
        assert service.counts() == {"wave1": 2, "wave2": 1}
        assert [text.message.message_id for text in service.accepted_texts("wave2")] == ["c"]
        assert {text.accepted for text in service.accepted_texts()} == {CREATED}

    def test_nothing_is_no_text(self, service: FakeSmsService) -> None:
        """An empty text is refused."""
        with pytest.raises(PermanentFailure):
            send(service, text_message("m1", text=""))
        with pytest.raises(PermanentFailure):
            send(service, text_message("m2", text=" "))


class TestChat(OverTables, ChatContract):
    """`FakeChat`."""

    @pytest.fixture
    def chat(self, tables: Tables, clock: SteppedClock) -> FakeChat:
        return FakeChat(tables, clock, channels={"#tour", "#stats"})

    @pytest.fixture
    def posted(self, chat: FakeChat) -> Posted:
        def posted(channel: str) -> Sequence[tuple[str, Sequence[object]]]:
            return [(post.text, post.blocks) for post in chat.posts(channel)]

        return posted  # type: ignore[return-value]

    @pytest.fixture
    def outage(self, chat: FakeChat) -> Outage:
        return chat.faults.outage

    def test_any_channel_exists_unless_some_are_named(
        self, tables: Tables, clock: SteppedClock
    ) -> None:
        """Without a list of channels every channel exists, unless its name is empty."""
        anywhere = FakeChat(tables, clock)
        anywhere.post("#anywhere", "hello")
        assert [(post.channel, post.posted) for post in anywhere.posts()] == [
            ("#anywhere", CREATED)
        ]
        with pytest.raises(PermanentFailure):
            anywhere.post("", "hello")
