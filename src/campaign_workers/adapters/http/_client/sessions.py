"""Calls that block.

Calls that do not block, so that hundreds may be under way.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final

import httpx
import stamina

from campaign_workers.adapters.http._client.exchange import Exchange, Service
from campaign_workers.adapters.http._client.requests import Answer, Call, TryFailed
from campaign_workers.domain.errors import RetryLater


class Session:
    """Connections to one service, for any number of threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._client = httpx.Client(**service.client_options())

    def send(self, call: Call) -> Any:
        """Carry a call out and give the JSON of its answer, None if there is none.

        Raises:
            NotFound, PermanentFailure, OutcomeUnknown, RetryLater: as the answer says.
        """
        exchange = Exchange(self._service, call)
        try:
            for attempt in stamina.retry_context(
                on=exchange.wait, **self._service.limits.retries()
            ):
                with attempt:
                    return exchange.content(self._answered(exchange))
        except TryFailed as error:
            raise exchange.given_up(error) from None
        except RetryLater as error:
            raise exchange.too_late(error) from None
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _answered(self, exchange: Exchange) -> Answer:
        tokens = self._service.tokens
        token = tokens.current()
        answer = self._try(exchange, token)
        if self._service.reading.refuses_token(answer):
            answer = self._try(exchange, tokens.renewed(token))
        return answer

    def _try(self, exchange: Exchange, token: str) -> Answer:
        intake = exchange.intake()
        try:
            with self._client.stream(**exchange.request(token)) as response:
                for piece in response.iter_bytes():
                    intake.take(piece)
                return intake.answer(response.status_code, response.headers)
        except httpx.RequestError as error:
            raise exchange.broken(error) from None


_ONE: Final = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class AsyncSession:
    """Connections to one service, for any number of coroutines on any number of loops.

    Connections belong to the loop that they were opened on. A worker runs a loop of its own for
    each call, so that each loop has its own, which are closed and forgotten when it is shut down.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._pools: dict[asyncio.AbstractEventLoop, _Pool] = {}

    async def send(self, call: Call) -> Any:
        """Carry a call out and give the JSON of its answer, None if there is none.

        Raises:
            NotFound, PermanentFailure, OutcomeUnknown, RetryLater: as the answer says.
        """
        exchange = Exchange(self._service, call)
        try:
            async for attempt in stamina.retry_context(
                on=exchange.wait, **self._service.limits.retries()
            ):
                with attempt:
                    return exchange.content(await self._answered(exchange))
        except TryFailed as error:
            raise exchange.given_up(error) from None
        except RetryLater as error:
            raise exchange.too_late(error) from None
        raise AssertionError("unreachable")

    async def _answered(self, exchange: Exchange) -> Answer:
        tokens = self._service.tokens
        if (token := tokens.known) is None:
            # Reading a secret blocks, and hundreds of others are under way.
            token = await asyncio.to_thread(tokens.current)
        answer = await self._try(exchange, token)
        if self._service.reading.refuses_token(answer):
            renewed = await asyncio.to_thread(tokens.renewed, token)
            answer = await self._try(exchange, renewed)
        return answer

    async def _try(self, exchange: Exchange, token: str) -> Answer:
        async with self._pool().client() as client:
            intake = exchange.intake()
            try:
                async with client.stream(**exchange.request(token)) as response:
                    async for piece in response.aiter_bytes():
                        intake.take(piece)
                    return intake.answer(response.status_code, response.headers)
            except httpx.RequestError as error:
                raise exchange.broken(error) from None

    def _pool(self) -> "_Pool":
        loop = asyncio.get_running_loop()
        if loop not in self._pools:
            self._pools[loop] = _Pool(self._service, partial(self._pools.pop, loop))
        return self._pools[loop]


class _Pool:
    """Clients of one connection each, the one that was used last first.

    A client with many connections looks through all of them before and after each request, which
    with hundreds takes longer than the request.
    """

    def __init__(self, service: Service, forget: Callable[[], object]) -> None:
        self._options = service.client_options() | {"limits": _ONE}
        self._forget = forget
        self._turn = asyncio.Semaphore(service.limits.connections)
        self._free: list[httpx.AsyncClient] = []
        self._opened = self._opening()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client that nobody else uses meanwhile."""
        async with self._turn:
            client = self._free.pop() if self._free else await anext(self._opened)
            try:
                yield client
            finally:
                self._free.append(client)

    async def _opening(self) -> AsyncGenerator[httpx.AsyncClient, None]:
        # A loop closes the generators that are open on it before it ends, and with this one the
        # clients: nobody else would know when.
        async with AsyncExitStack() as opened:
            opened.callback(self._forget)
            while True:
                client = httpx.AsyncClient(**self._options)
                opened.push_async_callback(client.aclose)
                yield client
