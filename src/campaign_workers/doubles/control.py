"""The control API under `/_doubles`: put data behind the services, inspect it, inject faults.

It needs no token, because the doubles listen on loopback only.
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
from campaign_workers.doubles.faults import Fault, FaultInjector
from campaign_workers.doubles.requests import describe_errors
from campaign_workers.doubles.service_fakes import ServiceFakes

Action = Callable[[Any], Any]
JsonSchema = Mapping[str, Any]

_TEXT: Final[JsonSchema] = {"type": "string"}
_NUMBER: Final[JsonSchema] = {"type": "number"}
_TEXTS: Final[JsonSchema] = {"type": "array", "items": _TEXT}


def _object(required: Mapping[str, JsonSchema], **optional: JsonSchema) -> JsonSchema:
    """Return the schema of an object without further fields, so that misspelt ones are refused."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


_ANYTHING: Final[JsonSchema] = {}
_ANY_OBJECT: Final[JsonSchema] = {"type": "object"}
_USERS: Final[JsonSchema] = {"type": "object", "additionalProperties": _TEXT}
_CODES: Final = _object({"campaignId": _TEXT, "codes": _TEXTS})
_FAULT: Final = _object({"fault": _TEXT}, service=_TEXT, times={"type": "integer", "minimum": 1})
_SHARES: Final = _object(
    {"shares": {"type": "object", "additionalProperties": _NUMBER}},
    services=_TEXTS,
    seed=_TEXT,
    inARow={"type": "integer", "minimum": 0},
)


@attrs.frozen
class ControlApi:
    """The routes under `/_doubles`."""

    fakes: ServiceFakes
    faults: FaultInjector

    @property
    def routes(self) -> Iterable[Route]:
        """One route for each action: method, path, JSON schema of the body, and method of ours."""
        actions: tuple[tuple[str, str, JsonSchema, Action], ...] = (
            ("PUT", "campaigns", _ANY_OBJECT, self.put_campaign),
            ("PUT", "users", _USERS, self.put_users),
            ("POST", "codes", _CODES, self.load_codes),
            ("POST", "records", _TEXTS, self.consume),
            ("GET", "texts", _ANYTHING, self.texts),
            ("GET", "posts", _ANYTHING, self.posts),
            ("GET", "faults", _ANYTHING, self.fault_counts),
            ("POST", "faults", _FAULT, self.inject),
            ("PUT", "faults", _SHARES, self.inject_shares),
            ("DELETE", "faults", _ANYTHING, self.clear),
        )
        for method, path, body, action in actions:
            yield Route(f"/_doubles/{path}", _endpoint(body, action), methods=[method])

    def put_campaign(self, document: Any) -> None:
        """Save a campaign, in the format of `GET /campaigns/{campaignId}`."""
        self.fakes.campaigns.put(parse_campaign(document))

    def put_users(self, users: Mapping[str, str]) -> None:
        """Save user ids by global user id."""
        for global_user_id, user_id in users.items():
            self.fakes.users.put(global_user_id, user_id)

    def load_codes(self, pool: Mapping[str, Any]) -> dict[str, int]:
        """Add `codes` to the pool of `campaignId` and return how many are new."""
        return {"loaded": self.fakes.codes.load(pool["campaignId"], pool["codes"])}

    def consume(self, records: Iterable[str]) -> None:
        """Consume stream records, each as the text on the stream; all of them or none.

        Raises:
            BadInput: a record cannot be parsed.
        """
        parsed = tuple(_stream_record(number, text) for number, text in enumerate(records))
        self.fakes.entries.consume(
            StreamBatch(stream=INPUT_STREAM, shard="doubles", records=parsed)
        )

    def texts(self, _: object) -> list[dict[str, Any]]:
        """Return the accepted texts, without phone number and text."""
        return [
            {
                "id": text.message.message_id,
                "group": text.message.group,
                "accepted": iso_utc(text.accepted),
            }
            for text in self.fakes.sms.accepted_texts()
        ]

    def posts(self, _: object) -> list[dict[str, Any]]:
        """Return the posted messages, oldest first."""
        return [
            {"channel": post.channel, "text": post.text, "blocks": list(post.blocks)}
            for post in self.fakes.chat.posts()
        ]

    def fault_counts(self, _: object) -> dict[str, dict[str, int]]:
        """Return the number of injected faults by service and kind."""
        return self.faults.counts()

    def inject(self, options: Mapping[str, Any]) -> None:
        """Inject a `fault` into the next request, or `times` requests, of a `service` or of any."""
        self.faults.inject(
            Fault.parse(options["fault"]),
            service=options.get("service"),
            times=options.get("times", 1),
        )

    def inject_shares(self, options: Mapping[str, Any]) -> None:
        """Inject faults into `shares` of the requests of `services`; see `FaultInjector`."""
        self.faults.inject_shares(
            {Fault.parse(text): share for text, share in options["shares"].items()},
            services=options.get("services"),
            seed=options.get("seed", ""),
            in_a_row=options.get("inARow"),
        )

    def clear(self, _: object) -> None:
        """Stop injecting faults."""
        self.faults.clear()


def _stream_record(number: int, text: str) -> StreamRecord:
    data = text.encode()
    try:
        parse_record(data)
    except RejectRecord as error:
        raise BadInput(error.reason, field=f"$[{number}]") from None
    return StreamRecord(sequence=f"{number:08d}", partition_key="", data=data, arrived=UNDATED)


def _endpoint(schema: JsonSchema, action: Action) -> Callable[[Request], Any]:
    validator = Draft202012Validator(schema)

    async def endpoint(request: Request) -> JSONResponse:
        try:
            body = await request.json() if await request.body() else None
            if errors := dict(describe_errors("$", validator.iter_errors(body))):
                return JSONResponse({"problem": "invalid request body", "errors": errors}, 422)
            return JSONResponse(await run_in_threadpool(action, body))
        except BadInput as error:
            return JSONResponse({"problem": str(error)}, 422)
        except (RecursionError, ValueError):
            return JSONResponse({"problem": "the body is not JSON in UTF-8"}, 422)

    return endpoint
