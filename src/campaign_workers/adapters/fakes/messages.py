"""Fakes of the services that deliver messages: the SMS service and Slack."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from campaign_workers.adapters.fakes.faults import Faults, may_fail
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.domain.errors import PermanentFailure
from campaign_workers.domain.records.types import iso_utc, parse_utc
from campaign_workers.ports.sms_service import TextMessage
from campaign_workers.ports.system import Clock

MAX_SMS_CHARACTERS: Final = 1600
MAX_POST_CHARACTERS: Final = 40_000
MAX_POST_BLOCKS: Final = 50
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


@attrs.frozen(kw_only=True)
class AcceptedText:
    """A text message and the time at which it was accepted."""

    message: TextMessage
    accepted: datetime


class FakeSmsService:
    """Serves `SmsService`: accepts each message id once and answers every repeat like the first.

    Numbers that end in one of `dead_endings` are refused for good, so that a share of the texts
    fails.
    """

    def __init__(
        self,
        tables: Tables,
        clock: Clock,
        *,
        dead_endings: Collection[str] = (),
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._clock = clock
        self._dead_endings = tuple(dead_endings)
        self._texts = tables("texts")

    async def send(self, message: TextMessage) -> None:
        """See `SmsService.send`."""
        with self.faults.around("send"):
            row = self._row(message)
            if self._texts.insert(message.message_id, row):
                refusal = row["refusal"]
            else:
                first = self._texts.get(message.message_id) or row
                refusal = first["refusal"]
            if refusal:
                raise PermanentFailure(refusal)

    def accepted_texts(self, group: str | None = None) -> Iterator[AcceptedText]:
        """Yield the accepted texts of one group, or of all groups, ordered by message id."""
        for message_id, row in self._texts.scan():
            if not row["refusal"] and group in {None, row["group"]}:
                names = ("phone", "text", "group", "metadata")
                message = TextMessage(message_id=message_id, **{n: row[n] for n in names})
                yield AcceptedText(message=message, accepted=parse_utc(row["accepted"]))

    def counts(self) -> Mapping[str, int]:
        """Return the number of accepted texts by group."""
        return Counter(row["group"] for _, row in self._texts.scan() if not row["refusal"])

    def _row(self, message: TextMessage) -> dict[str, Any]:
        return {
            "phone": message.phone,
            "text": message.text,
            "group": message.group,
            "metadata": dict(message.metadata),
            "accepted": iso_utc(self._clock.now()),
            "refusal": self._refusal(message),
        }

    def _refusal(self, message: TextMessage) -> str:
        reasons = (
            (not _E164.fullmatch(message.phone), "the number is not in E.164 format"),
            (not message.text.strip(), "the text is empty"),
            (
                len(message.text) > MAX_SMS_CHARACTERS,
                f"the text is longer than {MAX_SMS_CHARACTERS} characters",
            ),
            (message.phone.endswith(self._dead_endings), "the number is out of service"),
        )
        return next((reason for applies, reason in reasons if applies), "")


@attrs.frozen(kw_only=True)
class PostedMessage:
    """A message in a channel."""

    channel: str
    text: str
    blocks: tuple[Mapping[str, Any], ...]
    posted: datetime


class FakeChat:
    """Serves `Chat` with Slack's limits.

    Every channel exists, unless `channels` lists those that do.
    """

    def __init__(
        self,
        tables: Tables,
        clock: Clock,
        *,
        channels: Collection[str] | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._clock = clock
        self._channels = channels
        self._posts = tables("posts")
        self._numbers = tables("posts.numbers")

    @may_fail
    def post(self, channel: str, text: str, blocks: Sequence[Mapping[str, Any]] = ()) -> None:
        """See `Chat.post`."""
        if not channel or (self._channels is not None and channel not in self._channels):
            raise PermanentFailure("unknown channel")
        if not (text or blocks) or len(text) > MAX_POST_CHARACTERS or len(blocks) > MAX_POST_BLOCKS:
            raise PermanentFailure("the message is empty or too long")
        row = {
            "channel": channel,
            "text": text,
            "blocks": [dict(block) for block in blocks],
            "posted": iso_utc(self._clock.now()),
        }
        with self._posts.atomic():
            number = (self._numbers.get("next") or {"number": 0})["number"]
            self._numbers.put("next", {"number": number + 1})
            self._posts.put(f"{number:012d}", row)

    def posts(self, channel: str | None = None) -> Iterator[PostedMessage]:
        """Yield the messages of one channel, or of all channels, oldest first."""
        for _, row in self._posts.scan():
            if channel in {None, row["channel"]}:
                yield PostedMessage(
                    channel=row["channel"],
                    text=row["text"],
                    blocks=tuple(row["blocks"]),
                    posted=parse_utc(row["posted"]),
                )
