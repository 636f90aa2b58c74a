"""The operations of the user service, Pacman, the SMS service and Slack."""

from itertools import count
from typing import Final

import attrs

from campaign_workers.domain.errors import PermanentFailure
from campaign_workers.doubles.handling import Handlers
from campaign_workers.doubles.problems import Problem, Reply
from campaign_workers.doubles.requests import Asked, moment
from campaign_workers.ports.chat import Chat
from campaign_workers.ports.offer_codes import OfferCodeRequest, OfferCodes
from campaign_workers.ports.sms_service import SmsService, TextMessage
from campaign_workers.ports.user_service import UserService

LONGEST_POST: Final = 40_000
MOST_BLOCKS: Final = 50


@attrs.frozen
class UserOperations:
    """See `schemas/openapi/user.yaml`."""

    users: UserService

    @property
    def handlers(self) -> Handlers:
        """By operation."""
        return {"searchUsers": self.search}

    def search(self, asked: Asked) -> Reply:
        """User ids of global user ids."""
        found = self.users.user_ids(asked.body["globalUserIds"])
        rows = [{"globalUserId": fan, "userId": user} for fan, user in found.items()]
        return Reply(content={"users": rows})


@attrs.frozen
class PacmanOperations:
    """See `schemas/openapi/pacman.yaml`."""

    offer_codes: OfferCodes

    @property
    def handlers(self) -> Handlers:
        """By operation."""
        return {"createOfferCode": self.create}

    async def create(self, asked: Asked) -> Reply:
        """Make an offer code."""
        request = OfferCodeRequest(
            idempotency_key=asked.key,
            global_user_id=asked.body["user"],
            product_id=asked.body.get("product"),
            source=asked.body.get("source"),
            begin=moment(asked.body["begin"], "$.begin"),
            end=moment(asked.body["end"], "$.end"),
        )
        return Reply(status=201, content={"code": await self.offer_codes.create(request)})


@attrs.frozen
class SmsOperations:
    """See `schemas/openapi/sms.yaml`."""

    sms: SmsService

    @property
    def handlers(self) -> Handlers:
        """By operation."""
        return {"sendMessage": self.send}

    async def send(self, asked: Asked) -> Reply:
        """Hand a text over; its id is what makes a repeat one."""
        message = TextMessage(
            message_id=asked.body["id"],
            phone=asked.body["to"],
            text=asked.body["text"],
            group=asked.body.get("group", ""),
            metadata=asked.body.get("metadata", {}),
        )
        await self.sms.send(message)
        return Reply(status=202, content={"id": message.message_id, "state": "accepted"})


@attrs.frozen
class SlackOperations:
    """See `schemas/openapi/slack.yaml`."""

    chat: Chat
    _numbers: "count[int]" = attrs.field(factory=lambda: count(1), init=False)

    @property
    def handlers(self) -> Handlers:
        """By operation."""
        return {"postMessage": self.post}

    def post(self, asked: Asked) -> Reply:
        """Post a message."""
        channel, text = asked.body["channel"], asked.body.get("text", "")
        blocks = asked.body.get("blocks", ())
        try:
            self.chat.post(channel, text, blocks)
        except PermanentFailure:
            reasons = (
                (not (text or blocks), "no_text"),
                (len(text) > LONGEST_POST, "msg_too_long"),
                (len(blocks) > MOST_BLOCKS, "invalid_blocks"),
            )
            reason = next((name for holds, name in reasons if holds), "channel_not_found")
            raise Problem("refused", reason) from None
        stamp = f"1795196400.{next(self._numbers):06d}"
        return Reply(content={"ok": True, "channel": channel, "ts": stamp})
