"""`/_doubles`: what a test or a developer puts behind the services, orders, and looks at.

It asks for no token, because the doubles listen on loopback alone.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs
from jsonschema import Draft202012Validator
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from campaign_workers.domain.campaigns import parse_campaign
from campaign_workers.domain.errors import BadInput, RejectRecord
from campaign_workers.domain.records.record import UNDATED, parse_record
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.running.events import StreamBatch, StreamRecord
from campaign_workers.domain.running.triggers import INPUT_STREAM
from campaign_workers.doubles.faults import Fault, Switchboard
from campaign_workers.doubles.requests import told
from campaign_workers.doubles.service_fakes import Neighbours

Action = Callable[[Any], Any]
Schema = Mapping[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "number"}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}


def _object(required: Mapping[str, Schema], **optional: Schema) -> Schema:
    """An object with these fields and no others, so that a misspelt one is no order at all."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


_NOTHING: Final[Schema] = {}
_ANY_OBJECT: Final[Schema] = {"type": "object"}
_USERS: Final[Schema] = {"type": "object", "additionalProperties": _TEXT}
_CODES: Final = _object({"campaignId": _TEXT, "codes": _TEXTS})
_ORDER: Final = _object({"fault": _TEXT}, service=_TEXT, times={"type": "integer", "minimum": 1})
_SHARES: Final = _object(
    {"shares": {"type": "object", "additionalProperties": _NUMBER}},
    services=_TEXTS,
    seed=_TEXT,
    inARow={"type": "integer", "minimum": 0},
)


@attrs.frozen
class Backdoor:
    """The routes under `/_doubles`."""

    neighbours: Neighbours
    switchboard: Switchboard

    @property
    def routes(self) -> Iterable[Route]:
        """A row an action: method, path, the body that it takes, what it does with that."""
        actions: tuple[tuple[str, str, Schema, Action], ...] = (
            ("PUT", "campaigns", _ANY_OBJECT, self.put_campaign),
            ("PUT", "users", _USERS, self.put_users),
            ("POST", "codes", _CODES, self.load_codes),
            ("POST", "records", _TEXTS, self.consume),
            ("GET", "texts", _NOTHING, self.texts),
            ("GET", "posts", _NOTHING, self.posts),
            ("GET", "faults", _NOTHING, self.struck),
            ("POST", "faults", _ORDER, self.order),
            ("PUT", "faults", _SHARES, self.share),
            ("DELETE", "faults", _NOTHING, self.clear),
        )
        for method, path, body, action in actions:
            yield Route(f"/_doubles/{path}", _endpoint(body, action), methods=[method])

    def put_campaign(self, document: Any) -> None:
        """Keep a campaign, given as `GET /campaigns/{campaignId}` gives it."""
        self.neighbours.campaigns.put(parse_campaign(document))

    def put_users(self, users: Mapping[str, str]) -> None:
        """Keep user ids, by global user id."""
        for global_user_id, user_id in users.items():
            self.neighbours.users.put(global_user_id, user_id)

    def load_codes(self, pool: Mapping[str, Any]) -> dict[str, int]:
        """Put `codes` into the pool of `campaignId`; how many are new."""
        return {"loaded": self.neighbours.codes.load(pool["campaignId"], pool["codes"])}

    def consume(self, records: Iterable[str]) -> None:
        """Take records of the streams, each as the text that is on the stream, or none of them.

        Raises:
            BadInput: one of them cannot be read.
        """
        taken = tuple(_record(number, text) for number, text in enumerate(records))
        self.neighbours.entries.consume(
            StreamBatch(stream=INPUT_STREAM, shard="doubles", records=taken)
        )

    def texts(self, _: object) -> list[dict[str, Any]]:
        """Accepted texts, without number and words."""
        return [
            {
                "id": text.message.message_id,
                "group": text.message.group,
                "accepted": iso_utc(text.accepted),
            }
            for text in self.neighbours.sms.accepted_texts()
        ]

    def posts(self, _: object) -> list[dict[str, Any]]:
        """What was posted, oldest first."""
        return [
            {"channel": post.channel, "text": post.text, "blocks": list(post.blocks)}
            for post in self.neighbours.chat.posts()
        ]

    def struck(self, _: object) -> dict[str, dict[str, int]]:
        """How often which service failed in which way."""
        return self.switchboard.told()

    def order(self, wanted: Mapping[str, Any]) -> None:
        """Order a `fault` for the next request, or `times` requests, of a `service` or of any."""
        self.switchboard.order(
            Fault.parse(wanted["fault"]),
            service=wanted.get("service"),
            times=wanted.get("times", 1),
        )

    def share(self, wanted: Mapping[str, Any]) -> None:
        """Let `shares` of the requests fail, of `services` or of all; `seed`, `inARow`."""
        self.switchboard.share(
            {Fault.parse(text): share for text, share in wanted["shares"].items()},
            services=wanted.get("services"),
            seed=wanted.get("seed", ""),
            in_a_row=wanted.get("inARow"),
        )

    def clear(self, _: object) -> None:
        """Let everything go well again."""
        self.switchboard.clear()


def _record(number: int, text: str) -> StreamRecord:
    data = text.encode()
    try:
        parse_record(data)
    except RejectRecord as why:
        raise BadInput(why.reason, field=f"$[{number}]") from None
    return StreamRecord(sequence=f"{number:08d}", partition_key="", data=data, arrived=UNDATED)


def _endpoint(body: Schema, action: Action) -> Callable[[Request], Any]:
    validator = Draft202012Validator(body)

    async def endpoint(request: Request) -> JSONResponse:
        try:
            wanted = await request.json() if await request.body() else None
            if wrong := dict(told("$", validator.iter_errors(wanted))):
                return JSONResponse({"problem": "not what this takes", "errors": wrong}, 422)
            return JSONResponse(await run_in_threadpool(action, wanted))
        except BadInput as error:
            return JSONResponse({"problem": str(error)}, 422)
        except (RecursionError, ValueError):
            return JSONResponse({"problem": "no JSON in UTF-8"}, 422)

    return endpoint
