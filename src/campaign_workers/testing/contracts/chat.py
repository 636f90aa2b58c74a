"""Contract of `Chat`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from campaign_workers.domain.errors import PermanentFailure, RetryLater
from campaign_workers.ports.chat import Chat
from campaign_workers.testing.contracts._base import Contract, Outage

Posted = Callable[[str], Sequence[tuple[str, Sequence[Mapping[str, Any]]]]]

BLOCKS = (
    {"type": "header", "text": {"type": "plain_text", "text": "World Tour"}},
    {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Entries*\n1,234"}]},
)


class ChatContract(Contract):
    """Fixtures: `chat`, which knows the channels `#tour` and `#stats`; `outage`.

    `posted` returns (text, blocks) of a channel's messages, oldest first.
    """

    def test_a_message_is_posted(self, chat: Chat, posted: Posted) -> None:
        """Text and blocks arrive unchanged, in the given channel only."""
        chat.post("#tour", "World Tour: 1,234 entries", BLOCKS)
        assert list(posted("#tour")) == [("World Tour: 1,234 entries", BLOCKS)]
        assert list(posted("#stats")) == []

    def test_messages_keep_their_order(self, chat: Chat, posted: Posted) -> None:
        """Messages are in the order in which they were posted."""
        for number in range(12):
            chat.post("#tour", f"message {number}")
        assert [text for text, _ in posted("#tour")] == [f"message {n}" for n in range(12)]

    def test_an_unknown_channel_is_refused_for_good(self, chat: Chat) -> None:
        """A message to an unknown channel must not be retried."""
        with pytest.raises(PermanentFailure):
            chat.post("#nowhere", "hello")

    @pytest.mark.parametrize(
        ("text", "blocks"), [("", ()), ("x", [{"type": "divider"}] * 51)], ids=["empty", "long"]
    )
    def test_an_invalid_message_is_refused_for_good(
        self, chat: Chat, posted: Posted, text: str, blocks: Sequence[Mapping[str, Any]]
    ) -> None:
        """An empty message, or one with too many blocks, is never posted."""
        with pytest.raises(PermanentFailure):
            chat.post("#tour", text, blocks)
        assert list(posted("#tour")) == []

    def test_an_outage_raises_retry_later(self, chat: Chat, posted: Posted, outage: Outage) -> None:
        """While the service fails nothing is posted, and calls raise `RetryLater`."""
        with outage(), pytest.raises(RetryLater):
            chat.post("#tour", "hello")
        assert list(posted("#tour")) == []
