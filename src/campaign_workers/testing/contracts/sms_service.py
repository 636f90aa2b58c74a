"""Contract of `SmsService`."""

import asyncio
from collections.abc import Callable, Sequence

import attrs
import pytest

from campaign_workers.domain.errors import OutcomeUnknown, PermanentFailure, RetryLater
from campaign_workers.ports.sms_service import SmsService, TextMessage
from campaign_workers.testing.builders import text_message
from campaign_workers.testing.contracts._base import Contract, Outage

Accepted = Callable[[], Sequence[TextMessage]]


def send(service: SmsService, *messages: TextMessage) -> None:
    """Send texts one after another."""

    async def send_all() -> None:
        for message in messages:
            await service.send(message)

    asyncio.run(send_all())


def send_together(service: SmsService, *messages: TextMessage) -> None:
    """Send texts concurrently."""

    async def together() -> None:
        await asyncio.gather(*(service.send(message) for message in messages))

    asyncio.run(together())


class SmsServiceContract(Contract):
    """Fixtures: `service`; `accepted`, which returns the accepted texts by message id.

    `refused` is a text that is refused for good; `lose_answer` makes the next text be accepted,
    but loses the response; `outage`.
    """

    def test_a_text_is_sent_unchanged(self, service: SmsService, accepted: Accepted) -> None:
        """Number, text, group and metadata arrive unchanged."""
        message = text_message(text="Ada, you're in! 🎟 {x}", metadata={"marketId": "nyc"})
        send(service, message)
        assert list(accepted()) == [message]

    def test_an_id_is_accepted_once(self, service: SmsService, accepted: Accepted) -> None:
        """A repeat gets the same response, and nothing is sent."""
        send(service, text_message(), text_message())
        send_together(service, *[text_message("m2")] * 5)
        assert [message.message_id for message in accepted()] == ["m1", "m2"]

    def test_a_repeat_changes_nothing(self, service: SmsService, accepted: Accepted) -> None:
        """The first text of an id stays, even if a repeat has another text."""
        first = text_message()
        send(service, first, attrs.evolve(first, text="Another text"))
        assert list(accepted()) == [first]

    def test_many_concurrent_texts_are_accepted(
        self, service: SmsService, accepted: Accepted
    ) -> None:
        """Two hundred texts may be in flight, each accepted once."""
        messages = [text_message(f"m{number:03d}") for number in range(200)]
        send_together(service, *messages)
        assert list(accepted()) == messages

    def test_a_refused_number_stays_refused(
        self, service: SmsService, accepted: Accepted, refused: TextMessage
    ) -> None:
        """A text that is refused for good is refused again."""
        for _ in range(2):
            with pytest.raises(PermanentFailure):
                send(service, refused)
        assert list(accepted()) == []

    def test_a_lost_response_leaves_the_outcome_unknown(
        self, service: SmsService, accepted: Accepted, lose_answer: Callable[[], object]
    ) -> None:
        """After a lost response the text may be sent again, and the fan has one text."""
        lose_answer()
        with pytest.raises(OutcomeUnknown):
            send(service, text_message())
        send(service, text_message())
        assert list(accepted()) == [text_message()]

    def test_an_outage_accepts_nothing(
        self, service: SmsService, accepted: Accepted, outage: Outage
    ) -> None:
        """While the service fails nothing is accepted, and calls raise `RetryLater`."""
        with outage(), pytest.raises(RetryLater) as caught:
            send(service, text_message())
        assert not isinstance(caught.value, OutcomeUnknown)
        assert list(accepted()) == []
        send(service, text_message())
        assert len(accepted()) == 1

    def test_errors_quote_no_number(self, service: SmsService, refused: TextMessage) -> None:
        """Error messages quote neither the number nor the text."""
        with pytest.raises(PermanentFailure) as caught:
            send(service, refused)
        assert refused.phone not in str(caught.value)
        assert refused.text not in str(caught.value)
