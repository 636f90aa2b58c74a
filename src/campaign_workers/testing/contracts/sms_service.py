"""What every text message service promises."""

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
    """Send texts one after the other."""

    async def in_turn() -> None:
        for message in messages:
            await service.send(message)

    asyncio.run(in_turn())


def send_together(service: SmsService, *messages: TextMessage) -> None:
    """Send texts at the same time."""

    async def together() -> None:
        await asyncio.gather(*(service.send(message) for message in messages))

    asyncio.run(together())


class SmsServiceContract(Contract):
    """Fixtures: `service`; `accepted`, which tells the accepted texts by message id.

    `refused` is a text to a number that can never be reached; `lose_answer` lets the next text be
    accepted and its answer be lost; `outage`.
    """

    def test_a_text_is_handed_over_whole(self, service: SmsService, accepted: Accepted) -> None:
        """Number, text, group and metadata arrive as they were given."""
        message = text_message(text="Ada, you're in! 🎟 {x}", metadata={"marketId": "nyc"})
        send(service, message)
        assert list(accepted()) == [message]

    def test_an_id_is_accepted_once(self, service: SmsService, accepted: Accepted) -> None:
        """A repeat is answered as the first was, and nothing is sent for it."""
        send(service, text_message(), text_message())
        send_together(service, *[text_message("m2")] * 5)
        assert [message.message_id for message in accepted()] == ["m1", "m2"]

    def test_a_repeat_changes_nothing(self, service: SmsService, accepted: Accepted) -> None:
        """What an id was first used for stays, whatever comes with it later."""
        first = text_message()
        send(service, first, attrs.evolve(first, text="Another text"))
        assert list(accepted()) == [first]

    def test_many_texts_at_once(self, service: SmsService, accepted: Accepted) -> None:
        """Two hundred texts may be under way, each accepted once."""
        messages = [text_message(f"m{number:03d}") for number in range(200)]
        send_together(service, *messages)
        assert list(accepted()) == messages

    def test_a_dead_number_stays_dead(
        self, service: SmsService, accepted: Accepted, refused: TextMessage
    ) -> None:
        """A text that can never be sent is refused, and so is its repeat."""
        for _ in range(2):
            with pytest.raises(PermanentFailure):
                send(service, refused)
        assert list(accepted()) == []

    def test_a_lost_answer_leaves_the_outcome_unknown(
        self, service: SmsService, accepted: Accepted, lose_answer: Callable[[], object]
    ) -> None:
        """After a lost answer the same id may be sent again, and the fan has one text."""
        lose_answer()
        with pytest.raises(OutcomeUnknown):
            send(service, text_message())
        send(service, text_message())
        assert list(accepted()) == [text_message()]

    def test_an_outage_accepts_nothing(
        self, service: SmsService, accepted: Accepted, outage: Outage
    ) -> None:
        """While the service fails nothing is accepted and the work is given back."""
        with outage(), pytest.raises(RetryLater) as caught:
            send(service, text_message())
        assert not isinstance(caught.value, OutcomeUnknown)
        assert list(accepted()) == []
        send(service, text_message())
        assert len(accepted()) == 1

    def test_errors_tell_no_number(self, service: SmsService, refused: TextMessage) -> None:
        """No message of an error holds the number or the text."""
        with pytest.raises(PermanentFailure) as caught:
            send(service, refused)
        assert refused.phone not in str(caught.value)
        assert refused.text not in str(caught.value)
