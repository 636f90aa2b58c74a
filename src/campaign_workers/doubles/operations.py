"""Operations of every service but the entry service: a request in, a reply out."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import iscoroutinefunction
from itertools import count
from typing import Any, Final, cast

import attrs
from starlette.concurrency import run_in_threadpool

from campaign_workers.domain.campaigns import campaign_to_json, market_to_json
from campaign_workers.domain.codes import Assignment, AssignmentResult
from campaign_workers.domain.errors import CampaignError, PermanentFailure
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.doubles.problems import Problem, Reply
from campaign_workers.doubles.requests import ValidatedRequest, parse_datetime
from campaign_workers.ports.campaign_service import CampaignService
from campaign_workers.ports.chat import Chat
from campaign_workers.ports.code_service import CodeService
from campaign_workers.ports.offer_codes import OfferCodeRequest, OfferCodes
from campaign_workers.ports.sms_service import SmsService, TextMessage
from campaign_workers.ports.user_service import UserService

Handler = Callable[[ValidatedRequest], Reply] | Callable[[ValidatedRequest], Awaitable[Reply]]
Handlers = Mapping[str, Handler]
"""Handlers by operation id."""

MAX_POST_CHARACTERS: Final = 40_000
MAX_POST_BLOCKS: Final = 50


async def call_handler(handler: Handler, request: ValidatedRequest) -> Reply:
    """Return the reply of a handler; a blocking one runs in a thread, so that requests overlap.

    Raises:
        Problem: the service refuses or fails.
    """
    try:
        if iscoroutinefunction(handler):
            return cast(Reply, await handler(request))
        return await run_in_threadpool(cast(Callable[[ValidatedRequest], Reply], handler), request)
    except CampaignError as error:
        raise Problem.of_error(error) from None


@attrs.frozen
class CampaignOperations:
    """Operations of `schemas/openapi/campaign.yaml`."""

    campaigns: CampaignService

    @property
    def handlers(self) -> Handlers:
        """The handlers by operation id."""
        return {"findCampaigns": self.find, "getCampaign": self.get, "getMarkets": self.markets}

    def find(self, request: ValidatedRequest) -> Reply:
        """Return the campaigns of categories."""
        found = self.campaigns.campaign_ids(request.parameters["categoryId"])
        rows = [{"categoryId": category, "campaignId": name} for category, name in found.items()]
        return Reply(content={"campaigns": rows})

    def get(self, request: ValidatedRequest) -> Reply:
        """Return a campaign."""
        return Reply(content=campaign_to_json(self.campaigns.campaign(_campaign_id(request))))

    def markets(self, request: ValidatedRequest) -> Reply:
        """Return the markets of a campaign."""
        found = self.campaigns.markets(_campaign_id(request))
        return Reply(content={"markets": [market_to_json(market) for market in found]})


def _campaign_id(request: ValidatedRequest) -> str:
    return str(request.parameters["campaignId"])


@attrs.frozen
class CodeOperations:
    """Operations of `schemas/openapi/code.yaml`."""

    codes: CodeService

    @property
    def handlers(self) -> Handlers:
        """The handlers by operation id."""
        return {
            "reserveCodes": self.reserve,
            "releaseCodes": self.release,
            "assignPoolCodes": self.assign,
        }

    def reserve(self, request: ValidatedRequest) -> Reply:
        """Reserve codes for a market."""
        reservation = self.codes.reserve(
            request.body["campaignId"],
            request.body["marketId"],
            int(request.body["count"]),
            reserve_id=request.body["reserveId"],
        )
        return Reply(
            content={
                "reserveId": reservation.reserve_id,
                "codes": list(reservation.codes),
                "expires": iso_utc(reservation.expires),
            }
        )

    def release(self, request: ValidatedRequest) -> Reply:
        """Release reserved codes."""
        released = self.codes.release(request.body["reserveId"], request.body["codes"])
        return Reply(content={"released": released})

    def assign(self, request: ValidatedRequest) -> Reply:
        """Assign codes to fans."""
        results = self.codes.assign(request.body["campaignId"], parse_assignments(request))
        return assignment_results(results)


def parse_assignments(request: ValidatedRequest) -> list[Assignment]:
    """Return the assignments of a request.

    Raises:
        Problem: a date is invalid.
    """
    rows = request.body["assignments"]
    return [_parse_assignment(row, position) for position, row in enumerate(rows)]


def _parse_assignment(row: dict[str, Any], position: int) -> Assignment:
    created = row.get("created")
    field = f"$.assignments[{position}].created"
    return Assignment(
        global_user_id=row["globalUserId"],
        code=row["code"],
        market_id=row.get("marketId"),
        user_id=row.get("userId"),
        created=None if created is None else parse_datetime(created, field),
    )


def assignment_results(results: Iterable[AssignmentResult]) -> Reply:
    """Return the reply with the outcome of each assignment."""
    return Reply(content={"results": [_result_to_json(result) for result in results]})


def _result_to_json(result: AssignmentResult) -> dict[str, str]:
    reason = {"reason": result.reason} if result.reason else {}
    return {"outcome": str(result.outcome), **reason}


@attrs.frozen
class UserOperations:
    """Operations of `schemas/openapi/user.yaml`."""

    users: UserService

    @property
    def handlers(self) -> Handlers:
        """The handlers by operation id."""
        return {"searchUsers": self.search}

    def search(self, request: ValidatedRequest) -> Reply:
        """Return the user ids of global user ids."""
        found = self.users.user_ids(request.body["globalUserIds"])
        rows = [{"globalUserId": fan, "userId": user} for fan, user in found.items()]
        return Reply(content={"users": rows})


@attrs.frozen
class PacmanOperations:
    """Operations of `schemas/openapi/pacman.yaml`."""

    offer_codes: OfferCodes

    @property
    def handlers(self) -> Handlers:
        """The handlers by operation id."""
        return {"createOfferCode": self.create}

    async def create(self, request: ValidatedRequest) -> Reply:
        """Create an offer code."""
        offer = OfferCodeRequest(
            idempotency_key=request.key,
            global_user_id=request.body["user"],
            product_id=request.body.get("product"),
            source=request.body.get("source"),
            begin=parse_datetime(request.body["begin"], "$.begin"),
            end=parse_datetime(request.body["end"], "$.end"),
        )
        return Reply(status=201, content={"code": await self.offer_codes.create(offer)})


@attrs.frozen
class SmsOperations:
    """Operations of `schemas/openapi/sms.yaml`."""

    sms: SmsService

    @property
    def handlers(self) -> Handlers:
        """The handlers by operation id."""
        return {"sendMessage": self.send}

    async def send(self, request: ValidatedRequest) -> Reply:
        """Accept a text; its id identifies repeats."""
        message = TextMessage(
            message_id=request.body["id"],
            phone=request.body["to"],
            text=request.body["text"],
            group=request.body.get("group", ""),
            metadata=request.body.get("metadata", {}),
        )
        await self.sms.send(message)
        return Reply(status=202, content={"id": message.message_id, "state": "accepted"})


@attrs.frozen
class SlackOperations:
    """Operations of `schemas/openapi/slack.yaml`."""

    chat: Chat
    _numbers: "count[int]" = attrs.field(factory=lambda: count(1), init=False)

    @property
    def handlers(self) -> Handlers:
        """The handlers by operation id."""
        return {"postMessage": self.post}

    def post(self, request: ValidatedRequest) -> Reply:
        """Post a message."""
        channel, text = request.body["channel"], request.body.get("text", "")
        blocks = request.body.get("blocks", ())
        try:
            self.chat.post(channel, text, blocks)
        except PermanentFailure:
            reasons = (
                (not (text or blocks), "no_text"),
                (len(text) > MAX_POST_CHARACTERS, "msg_too_long"),
                (len(blocks) > MAX_POST_BLOCKS, "invalid_blocks"),
            )
            reason = next((name for applies, name in reasons if applies), "channel_not_found")
            raise Problem("refused", reason) from None
        timestamp = f"1795196400.{next(self._numbers):06d}"
        return Reply(content={"ok": True, "channel": channel, "ts": timestamp})
