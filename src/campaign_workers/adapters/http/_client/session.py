"""Connections to a service and the retries of a request, blocking or in coroutines."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, partial
from typing import Any, Final

import attrs
import httpx
import stamina

from campaign_workers import __version__
from campaign_workers.adapters.http._client.requests import (
    AttemptFailed,
    HttpLimits,
    ServiceBusy,
    ServiceRequest,
    ServiceResponse,
)
from campaign_workers.adapters.http._client.response_policy import ProblemPolicy, ResponsePolicy
from campaign_workers.adapters.http._client.tokens import TokenSource
from campaign_workers.domain.errors import BadInput, RetryLater

_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_SINGLE_CONNECTION: Final = httpx.Limits(max_connections=1, max_keepalive_connections=1)


@attrs.frozen(kw_only=True)
class Service:
    """The address, credentials and limits of a service, and the policy for its responses."""

    name: str
    base_url: str
    tokens: TokenSource
    limits: HttpLimits
    policy: ResponsePolicy = attrs.field(factory=ProblemPolicy)

    def __attrs_post_init__(self) -> None:
        """Check the base URL, so that a wrong one fails at once rather than at the first call."""
        try:
            url = httpx.URL(self.base_url)
        except httpx.InvalidURL:
            url = httpx.URL()
        if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query:
            raise BadInput(
                "not a valid service URL",
                field=f"{self.name} base_url",
                remedy="use http(s)://host[:port][/path]",
            )

    def client_options(self) -> dict[str, Any]:
        """Return the arguments of `httpx.Client` and `httpx.AsyncClient`."""
        limits = self.limits
        return {
            "base_url": self.base_url,
            "headers": {
                "Accept": "application/json, application/problem+json",
                "User-Agent": f"campaign-workers/{__version__}",
            },
            "timeout": httpx.Timeout(
                connect=limits.connect_timeout_seconds,
                read=limits.read_timeout_seconds,
                write=limits.read_timeout_seconds,
                pool=limits.attempt_timeout_seconds,
            ),
            "limits": httpx.Limits(
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_connections,
            ),
            "verify": _ssl_context(),
            # Ignore proxies and credentials of the environment: they are not among our settings.
            "trust_env": False,
        }


@cache
def _ssl_context() -> Any:
    """Return the TLS context that all clients share; building one takes as long as many calls."""
    return httpx.create_ssl_context(trust_env=False)


@attrs.define
class RetryState:
    """The attempts of one request, and whether one of them may have been carried out."""

    service: Service
    request: ServiceRequest
    _unknown: bool = False

    def request_options(self, token: str) -> dict[str, Any]:
        """Return the arguments of `httpx.Client.stream` for one attempt."""
        return {
            "method": self.request.method,
            "url": self.request.path,
            "params": self.request.query,
            "json": self.request.body,
            "headers": {**self.request.headers(), "Authorization": f"Bearer {token}"},
        }

    def body_reader(self) -> "BodyReader":
        """Return a reader for the response of one attempt."""
        return BodyReader(self.service.limits)

    def from_transport_error(self, error: httpx.RequestError) -> AttemptFailed:
        """Return the failure of an attempt without a complete response."""
        unknown = not isinstance(error, _NEVER_SENT)
        return AttemptFailed(f"no response, {type(error).__name__}", unknown=unknown)

    def parse(self, response: ServiceResponse) -> Any:
        """Return the content of the response; see `ResponsePolicy.parse`."""
        return self.service.policy.parse(self.request, response)

    def backoff(self, error: Exception) -> bool | float:
        """Return whether to retry, or the number of seconds that the service asks to wait."""
        if not isinstance(error, AttemptFailed):
            return False
        self._unknown = self._unknown or error.unknown
        if error.retry_after is None:
            return True
        within_limit = error.retry_after <= self.service.limits.max_backoff_seconds
        return error.retry_after if within_limit else False

    def after_last_attempt(self, error: AttemptFailed) -> RetryLater:
        """Return the error for a request that has no attempts left."""
        unknown = self._unknown or error.unknown
        if unknown or error.retry_after is None:
            return self.request.failure(error.problem, unknown=unknown)
        problem = f"{error.problem}, retry after {error.retry_after:.0f} s"
        return ServiceBusy(self.request.describe(problem), error.retry_after)

    def after_earlier_attempt(self, error: RetryLater) -> RetryLater:
        """Return `OutcomeUnknown` if an earlier attempt may have succeeded, else the error."""
        if self._unknown and self.request.changes and type(error) is RetryLater:
            return self.request.failure("an earlier attempt may have succeeded", unknown=True)
        return error


@attrs.define
class BodyReader:
    """Collects the body of a response within the time and size limits of one attempt."""

    limits: HttpLimits
    _started: float = attrs.field(factory=time.monotonic)
    _body: bytearray = attrs.field(factory=bytearray)

    def feed(self, chunk: bytes) -> None:
        """Append the next chunk.

        Raises:
            AttemptFailed: the response exceeds the time or size limit.
        """
        self._body += chunk
        if len(self._body) > self.limits.max_response_bytes:
            raise AttemptFailed(
                f"the response is larger than {self.limits.max_response_bytes} bytes", unknown=True
            )
        if time.monotonic() - self._started > self.limits.attempt_timeout_seconds:
            raise AttemptFailed("the response takes too long", unknown=True)

    def response(self, status: int, headers: Mapping[str, str]) -> ServiceResponse:
        """Return the complete response."""
        return ServiceResponse(status=status, headers=headers, body=bytes(self._body))


class Session:
    """Connections to one service, for any number of threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._client = httpx.Client(**service.client_options())

    def send(self, request: ServiceRequest) -> Any:
        """Send a request, with retries, and return the JSON of the response, None if empty.

        Raises:
            NotFound, PermanentFailure, OutcomeUnknown, RetryLater: according to the response.
        """
        state = RetryState(self._service, request)
        try:
            for attempt in stamina.retry_context(
                on=state.backoff, **self._service.limits.retry_options()
            ):
                with attempt:
                    return state.parse(self._attempt(state))
        except AttemptFailed as error:
            raise state.after_last_attempt(error) from None
        except RetryLater as error:
            raise state.after_earlier_attempt(error) from None
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _attempt(self, state: RetryState) -> ServiceResponse:
        tokens = self._service.tokens
        token = tokens.current()
        response = self._exchange(state, token)
        if self._service.policy.refuses_token(response):
            response = self._exchange(state, tokens.renew(token))
        return response

    def _exchange(self, state: RetryState, token: str) -> ServiceResponse:
        reader = state.body_reader()
        try:
            with self._client.stream(**state.request_options(token)) as response:
                for chunk in response.iter_bytes():
                    reader.feed(chunk)
                return reader.response(response.status_code, response.headers)
        except httpx.RequestError as error:
            raise state.from_transport_error(error) from None


class AsyncSession:
    """Connections to one service, for any number of coroutines on any number of event loops.

    A connection belongs to the event loop on which it was opened, and a worker runs a new loop for
    each call. So each loop has its own connections, which are closed when the loop shuts down.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._pools: dict[asyncio.AbstractEventLoop, _ConnectionPool] = {}

    async def send(self, request: ServiceRequest) -> Any:
        """Send a request, with retries, and return the JSON of the response, None if empty.

        Raises:
            NotFound, PermanentFailure, OutcomeUnknown, RetryLater: according to the response.
        """
        state = RetryState(self._service, request)
        try:
            async for attempt in stamina.retry_context(
                on=state.backoff, **self._service.limits.retry_options()
            ):
                with attempt:
                    return state.parse(await self._attempt(state))
        except AttemptFailed as error:
            raise state.after_last_attempt(error) from None
        except RetryLater as error:
            raise state.after_earlier_attempt(error) from None
        raise AssertionError("unreachable")

    async def _attempt(self, state: RetryState) -> ServiceResponse:
        tokens = self._service.tokens
        if (token := tokens.cached_token) is None:
            # Reading a secret blocks, which would stop the other coroutines of the loop.
            token = await asyncio.to_thread(tokens.current)
        response = await self._exchange(state, token)
        if self._service.policy.refuses_token(response):
            renewed = await asyncio.to_thread(tokens.renew, token)
            response = await self._exchange(state, renewed)
        return response

    async def _exchange(self, state: RetryState, token: str) -> ServiceResponse:
        async with self._pool().client() as client:
            reader = state.body_reader()
            try:
                async with client.stream(**state.request_options(token)) as response:
                    async for chunk in response.aiter_bytes():
                        reader.feed(chunk)
                    return reader.response(response.status_code, response.headers)
            except httpx.RequestError as error:
                raise state.from_transport_error(error) from None

    def _pool(self) -> "_ConnectionPool":
        loop = asyncio.get_running_loop()
        if loop not in self._pools:
            self._pools[loop] = _ConnectionPool(self._service, partial(self._pools.pop, loop))
        return self._pools[loop]


class _ConnectionPool:
    """Clients of one connection each, the most recently used one first.

    A client with hundreds of connections scans all of them before and after each request, which
    takes longer than the request itself.
    """

    def __init__(self, service: Service, on_close: Callable[[], object]) -> None:
        self._options = service.client_options() | {"limits": _SINGLE_CONNECTION}
        self._on_close = on_close
        self._slots = asyncio.Semaphore(service.limits.max_connections)
        self._idle: list[httpx.AsyncClient] = []
        self._new_clients = self._open_clients()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend a client for the duration of the context."""
        async with self._slots:
            client = self._idle.pop() if self._idle else await anext(self._new_clients)
            try:
                yield client
            finally:
                self._idle.append(client)

    async def _open_clients(self) -> AsyncGenerator[httpx.AsyncClient, None]:
        # An event loop closes its open async generators before it ends. That is the only signal
        # of the loop's end, so the clients are closed here.
        async with AsyncExitStack() as stack:
            stack.callback(self._on_close)
            while True:
                client = httpx.AsyncClient(**self._options)
                stack.push_async_callback(client.aclose)
                yield client
