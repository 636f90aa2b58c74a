"""The seven doubles as one app, each under its name: `/campaign`, `/entry`, `/code` and so on.

A request passes in this order: a fault that strikes before, the token, the document, the
idempotency key, the service itself, a fault that strikes after.
"""

from collections.abc import Collection, Mapping
from functools import partial
from secrets import token_hex
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from campaign_workers.domain.errors import BadInput
from campaign_workers.doubles.backdoor import Backdoor
from campaign_workers.doubles.campaign_operations import CampaignOperations
from campaign_workers.doubles.code_operations import CodeOperations
from campaign_workers.doubles.documents import SERVICES, Operation, operations, source
from campaign_workers.doubles.entry_operations import EntryOperations
from campaign_workers.doubles.fault_responses import before, response
from campaign_workers.doubles.faults import Fault, Switchboard
from campaign_workers.doubles.handling import Handlers, handled
from campaign_workers.doubles.idempotency import FirstAnswers
from campaign_workers.doubles.message_operations import (
    PacmanOperations,
    SlackOperations,
    SmsOperations,
    UserOperations,
)
from campaign_workers.doubles.problems import Problem, Reply, problem_reply, slack_reply
from campaign_workers.doubles.requests import read
from campaign_workers.doubles.service_fakes import Neighbours

LOCAL_TOKEN: Final = "local"  # noqa: S105
"""The token that the doubles know, for every service."""


class Doubles:
    """The app, what it serves, and what goes wrong in it.

    `tokens` tells which services each token is good for, and may be changed at any time.
    """

    services = SERVICES
    """Their names, which are the first part of their addresses."""

    def __init__(
        self,
        neighbours: Neighbours,
        *,
        tokens: Mapping[str, Collection[str]] | None = None,
        switchboard: Switchboard | None = None,
    ) -> None:
        self.neighbours = neighbours
        self.switchboard = switchboard or Switchboard()
        self.tokens = dict(tokens or {LOCAL_TOKEN: SERVICES})
        self._first = FirstAnswers()
        self._handlers = _handlers(neighbours)
        self.app = Starlette(
            routes=[
                *(Mount(f"/{service}", app=self._app(service)) for service in SERVICES),
                Route("/openapi/{service}.yaml", _document),
                *Backdoor(neighbours, self.switchboard).routes,
            ],
            exception_handlers={HTTPException: _unrouted},
        )

    def _app(self, service: str) -> Starlette:
        routes = [
            Route(operation.path, partial(self._answer, operation), methods=[operation.method])
            for operation in operations(service)
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _unrouted})

    async def _answer(self, operation: Operation, request: Request) -> Response:
        correlation_id = request.headers.get("X-Correlation-Id") or token_hex(16)
        headers = {"X-Correlation-Id": correlation_id}
        tell = slack_reply if operation.service == "slack" else problem_reply
        fault: Fault | None = None
        try:
            body = await request.body()
            fault = self._fault(operation, request, body, correlation_id)
            if (instead := await before(fault)) is not None:
                return instead
            reply = await self._carried_out(operation, request, body)
        except Problem as problem:
            reply = tell(problem, correlation_id)
        return response(reply, fault, headers)

    def _fault(
        self, operation: Operation, request: Request, body: bytes, correlation_id: str
    ) -> Fault | None:
        if ordered := request.headers.get("X-Fault"):
            try:
                return Fault.parse(ordered)
            except BadInput:
                raise Problem("invalid", errors=(("X-Fault", "no such fault"),)) from None
        # Not the whole address, because the same doubles may be served under another one.
        path = operation.path.format(**request.path_params)
        name = f"{operation.name} {path}?{request.url.query} ".encode()
        return self.switchboard.next(operation.service, name + body, correlation_id)

    async def _carried_out(self, operation: Operation, request: Request, body: bytes) -> Reply:
        self._check_token(operation.service, request)
        asked = read(operation, request, body)
        carry_out = partial(handled, self._handlers[operation.name], asked)
        if not operation.takes_key:
            return await carry_out()
        return await self._first.once(operation.name, asked.key, body, carry_out)

    def _check_token(self, service: str, request: Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        services = self.tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if services is None:
            raise Problem("unauthorized")
        if service not in services:
            raise Problem("forbidden")


def _handlers(neighbours: Neighbours) -> Handlers:
    return {
        **CampaignOperations(neighbours.campaigns).handlers,
        **EntryOperations(neighbours.entries).handlers,
        **CodeOperations(neighbours.codes).handlers,
        **UserOperations(neighbours.users).handlers,
        **PacmanOperations(neighbours.offer_codes).handlers,
        **SmsOperations(neighbours.sms).handlers,
        **SlackOperations(neighbours.chat).handlers,
    }


async def _document(request: Request) -> Response:
    service = request.path_params["service"]
    if service not in SERVICES:
        raise HTTPException(404)
    return Response(source(service), media_type="application/yaml")


async def _unrouted(request: Request, error: Exception) -> Response:
    """No such address, or no such method there."""
    assert isinstance(error, HTTPException)
    name = "not-allowed" if error.status_code == 405 else "no-operation"
    reply = problem_reply(Problem(name), request.headers.get("X-Correlation-Id") or token_hex(16))
    return response(reply, None, dict(error.headers or {}))
