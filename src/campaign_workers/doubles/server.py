"""Runs an app on a loopback port, in a thread."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event, Thread
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from campaign_workers.domain.errors import BadInput, RetryLater
from campaign_workers.doubles.faults import TRANSPORT

LOOPBACK: Final = "127.0.0.1"
_START_SECONDS: Final = 10.0


class _ProtocolWithTransport(H11Protocol):
    """Passes the transport to the app, so that it can reset the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner: ASGIApp = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = with_transport


class _Server(uvicorn.Server):
    """Sets an event once the server accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.started_event = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.started_event.set()


@contextmanager
def serve(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """Serve the app during the context, which yields its URL. Port 0 picks a free port.

    Raises:
        BadInput: the port is not available.
        RetryLater: the server does not start.
    """
    config = uvicorn.Config(
        app,
        http=_ProtocolWithTransport,
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    with closing(_listen(port)) as listener:
        thread = Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="doubles", daemon=True
        )
        thread.start()
        try:
            if not server.started_event.wait(_START_SECONDS):
                raise RetryLater(f"the doubles did not start within {_START_SECONDS:g} s")
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _listen(port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only if the protocol is given explicitly; without it, small
    # responses are delayed by 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise BadInput(f"{error.strerror}", field="--port", remedy="choose another one") from None
    return listener
