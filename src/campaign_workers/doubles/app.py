"""The seven doubles as one app, each under its name: `/campaign`, `/entry`, `/code` and so on.

A request passes these steps in order: a fault that replaces the operation, the token, validation
against the OpenAPI document, the idempotency key, the operation itself, a fault that damages the
response.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from secrets import token_hex
from typing import Final

import attrs
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from campaign_workers.domain.errors import BadInput
from campaign_workers.doubles.control import ControlApi
from campaign_workers.doubles.documents import SERVICES, Operation, document_text, operations
from campaign_workers.doubles.entry_operations import EntryOperations
from campaign_workers.doubles.faults import (
    Fault,
    FaultInjector,
    replace_operation,
    to_http_response,
)
from campaign_workers.doubles.operations import (
    CampaignOperations,
    CodeOperations,
    Handlers,
    PacmanOperations,
    SlackOperations,
    SmsOperations,
    UserOperations,
    call_handler,
)
from campaign_workers.doubles.problems import Problem, Reply, problem_reply, slack_reply
from campaign_workers.doubles.requests import validate_request
from campaign_workers.doubles.service_fakes import ServiceFakes

LOCAL_TOKEN: Final = "local"  # noqa: S105
"""The token that the doubles accept by default, for every service."""
MAX_KEYS: Final = 100_000


class Doubles:
    """The app, the fakes behind it, and the faults that it injects.

    `tokens` maps each accepted token to the services that it is valid for; it may be changed at any
    time.
    """

    services = SERVICES
    """The names of the services, which are the first segment of their paths."""

    def __init__(
        self,
        fakes: ServiceFakes,
        *,
        tokens: Mapping[str, Collection[str]] | None = None,
        faults: FaultInjector | None = None,
    ) -> None:
        self.fakes = fakes
        self.faults = faults or FaultInjector()
        self.tokens = dict(tokens or {LOCAL_TOKEN: SERVICES})
        self._replies = IdempotencyStore()
        self._handlers = _handlers(fakes)
        self.app = Starlette(
            routes=[
                *(Mount(f"/{service}", app=self._service_app(service)) for service in SERVICES),
                Route("/openapi/{service}.yaml", _serve_document),
                *ControlApi(fakes, self.faults).routes,
            ],
            exception_handlers={HTTPException: _reply_to_unknown_route},
        )

    def _service_app(self, service: str) -> Starlette:
        routes = [
            Route(operation.path, partial(self._respond, operation), methods=[operation.method])
            for operation in operations(service)
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _reply_to_unknown_route})

    async def _respond(self, operation: Operation, request: Request) -> Response:
        correlation_id = request.headers.get("X-Correlation-Id") or token_hex(16)
        headers = {"X-Correlation-Id": correlation_id}
        to_reply = slack_reply if operation.service == "slack" else problem_reply
        fault: Fault | None = None
        try:
            body = await request.body()
            fault = self._fault(operation, request, body, correlation_id)
            if (replacement := await replace_operation(fault)) is not None:
                return replacement
            reply = await self._execute(operation, request, body)
        except Problem as problem:
            reply = to_reply(problem, correlation_id)
        return to_http_response(reply, fault, headers)

    def _fault(
        self, operation: Operation, request: Request, body: bytes, correlation_id: str
    ) -> Fault | None:
        if header := request.headers.get("X-Fault"):
            try:
                return Fault.parse(header)
            except BadInput:
                raise Problem("invalid", errors=(("X-Fault", "unknown fault"),)) from None
        # Without scheme, host and mount path, which differ where the same doubles run elsewhere.
        path = operation.path.format(**request.path_params)
        identity = f"{operation.name} {path}?{request.url.query} ".encode() + body
        return self.faults.next_fault(operation.service, identity, correlation_id)

    async def _execute(self, operation: Operation, request: Request, body: bytes) -> Reply:
        self._check_token(operation.service, request)
        validated = validate_request(operation, request, body)
        execute = partial(call_handler, self._handlers[operation.name], validated)
        if not operation.takes_key:
            return await execute()
        return await self._replies.execute_once(operation.name, validated.key, body, execute)

    def _check_token(self, service: str, request: Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        services = self.tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if services is None:
            raise Problem("unauthorized")
        if service not in services:
            raise Problem("forbidden")


@attrs.define
class _StoredReply:
    lock: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    request: bytes = b""
    reply: Reply | None = None


@attrs.define
class IdempotencyStore:
    """The replies to the latest `MAX_KEYS` idempotency keys; failed requests are not stored."""

    _stored: OrderedDict[tuple[str, str], _StoredReply] = attrs.field(
        factory=OrderedDict, init=False
    )

    async def execute_once(
        self,
        operation: str,
        key: str,
        request: bytes,
        execute: Callable[[], Awaitable[Reply]],
    ) -> Reply:
        """Execute a request, or return the stored reply if the key was used before.

        Raises:
            Problem: the key belongs to a different request, or the execution raises it.
        """
        stored = self._stored.setdefault((operation, key), _StoredReply())
        if len(self._stored) > MAX_KEYS:
            self._stored.popitem(last=False)
        async with stored.lock:
            if stored.reply is None:
                stored.reply = await execute()
                stored.request = request
            elif stored.request != request:
                raise Problem("key-reused")
            return stored.reply


def _handlers(fakes: ServiceFakes) -> Handlers:
    return {
        **CampaignOperations(fakes.campaigns).handlers,
        **EntryOperations(fakes.entries).handlers,
        **CodeOperations(fakes.codes).handlers,
        **UserOperations(fakes.users).handlers,
        **PacmanOperations(fakes.offer_codes).handlers,
        **SmsOperations(fakes.sms).handlers,
        **SlackOperations(fakes.chat).handlers,
    }


async def _serve_document(request: Request) -> Response:
    service = request.path_params["service"]
    if service not in SERVICES:
        raise HTTPException(404)
    return Response(document_text(service), media_type="application/yaml")


async def _reply_to_unknown_route(request: Request, error: Exception) -> Response:
    """Return a problem for an unknown path or method."""
    assert isinstance(error, HTTPException)
    name = "not-allowed" if error.status_code == 405 else "no-operation"
    reply = problem_reply(Problem(name), request.headers.get("X-Correlation-Id") or token_hex(16))
    return to_http_response(reply, None, dict(error.headers or {}))
