"""An app on a port of loopback, in a thread."""

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
from campaign_workers.doubles.fault_responses import TRANSPORT

LOOPBACK: Final = "127.0.0.1"
_START_SECONDS: Final = 10.0


class _WithTransport(H11Protocol):
    """Tells the app the connection, so that it can hang up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner: ASGIApp = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = with_transport


class _Server(uvicorn.Server):
    """Says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@contextmanager
def serving(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """Serve the app as long as the context lasts; its address. Port 0 is any free one.

    Raises:
        BadInput: the port is taken.
        RetryLater: the server does not start.
    """
    config = uvicorn.Config(
        app,
        http=_WithTransport,
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    with closing(_listening(port)) as listener:
        thread = Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="doubles", daemon=True
        )
        thread.start()
        try:
            if not server.is_up.wait(_START_SECONDS):
                raise RetryLater("the server of the doubles does not start")
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _listening(port: int) -> socket.socket:
    # With the protocol named, asyncio sends small pieces at once instead of after 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise BadInput(f"{error.strerror}", field="--port", remedy="choose another one") from None
    return listener
