"""A proxy before the cloud of the tests, for what the emulator never does.

It passes requests on unless the next fault is meant for them: then it refuses them, cuts or stalls
the answer, or carries the request out and says nothing.
"""

import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from tests.servers.aws import client_of

_OF_THE_CONNECTION: Final = {"connection", "transfer-encoding", "keep-alive"}


@attrs.frozen
class Request:
    """What a client asked for."""

    method: str
    path: str
    headers: dict[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


@attrs.frozen
class Answer:
    """What the cloud answers."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


Deed = Callable[["_Handler", Callable[[], Answer]], None]
"""What is done about a request; it may be carried out first."""


@attrs.frozen
class Fault:
    """A deed for the next request that fits."""

    method: str
    deed: Deed
    path: str = ""

    def fits(self, request: Request) -> bool:
        """Whether the request is meant."""
        return request.method == self.method and self.path in request.path


def refused(status: int, code: str, text: str = "no") -> Deed:
    """Not carried out; the answer is an error of S3, which says nothing to HEAD."""
    body = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()
    return lambda handler, _: handler.answer(
        Answer(status, [("Content-Type", "application/xml")], body)
    )


def answered(body: str, status: int = 200) -> Deed:
    """Not carried out; the answer is made up."""
    return lambda handler, _: handler.answer(Answer(status, [], body.encode()))


def cut(after: int) -> Deed:
    """The connection is closed after so many bytes of the body."""
    return lambda handler, ask: handler.answer(ask(), limit=after)


def reset(after: int) -> Deed:
    """The connection is reset after so many bytes of the body."""
    return lambda handler, ask: handler.answer(ask(), limit=after, reset=True)


def stalled(after: int, *, seconds: float) -> Deed:
    """Nothing comes for a while after so many bytes of the body, and then nothing more."""
    return lambda handler, ask: handler.answer(ask(), limit=after, pause=seconds)


def damaged() -> Deed:
    """A byte of the body is another one."""

    def deed(handler: "_Handler", ask: Callable[[], Answer]) -> None:
        answer = ask()
        handler.answer(attrs.evolve(answer, body=bytes([answer.body[0] ^ 1]) + answer.body[1:]))

    return deed


def lost() -> Deed:
    """The request is carried out and its answer lost."""

    def deed(handler: "_Handler", ask: Callable[[], Answer]) -> None:
        ask()
        handler.hang_up()

    return deed


def after(act: Callable[[], object], deed: Deed | None = None) -> Deed:
    """Another client acts just before the request is carried out."""

    def done(handler: "_Handler", ask: Callable[[], Answer]) -> None:
        act()
        if deed:
            deed(handler, ask)
        else:
            handler.answer(ask())

    return done


class FaultyCloud:
    """The proxy; `requests` is what it was asked for, `endpoint` where it listens."""

    def __init__(self, endpoint: str) -> None:
        address = urlsplit(endpoint)
        self.target = (address.hostname or "127.0.0.1", address.port or 80)
        self.requests: list[Request] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"cloud": self}))
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def order(self, *faults: Fault) -> None:
        """Faults for the next requests that they fit, one each."""
        with self._lock:
            self._faults += faults

    def forget(self) -> None:
        """Order no fault any more, and forget what was asked for."""
        with self._lock:
            self._faults.clear()
            self.requests.clear()

    def client(self, service: str, **config: Any) -> Any:
        """A client that asks by way of the proxy."""
        return self._client(service, json.dumps(config))

    @cache  # noqa: B019 - a proxy lives as long as its tests
    def _client(self, service: str, config: str) -> Any:
        return client_of(self.endpoint, service, max_pool_connections=20, **json.loads(config))

    def asked(self, method: str, path: str = "") -> list[Request]:
        """Requests of a method with `path` in their path."""
        return [r for r in self.requests if r.method == method and path in r.path]

    def deed_for(self, request: Request) -> Deed | None:
        """The fault that is due, which then is over."""
        with self._lock:
            self.requests.append(request)
            for fault in self._faults:
                if fault.fits(request):
                    self._faults.remove(fault)
                    return fault.deed
        return None

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def faulty_cloud(endpoint: str) -> Iterator[FaultyCloud]:
    """A proxy before `endpoint` that is closed in the end."""
    cloud = FaultyCloud(endpoint)
    try:
        yield cloud
    finally:
        cloud.close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up makes none."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: FaultyCloud

    def log_message(self, *_: object) -> None:
        pass

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, dict(self.headers), body)
        deed = self.cloud.deed_for(request)
        if deed:
            deed(self, lambda: self._ask(request))
        else:
            self.answer(self._ask(request))

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle  # noqa: N815

    def _ask(self, request: Request) -> Answer:
        connection = HTTPConnection(*self.cloud.target, timeout=30)
        try:
            headers = {n: v for n, v in request.headers.items() if n.lower() != "expect"}
            connection.request(request.method, request.path, request.body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def answer(
        self, answer: Answer, *, limit: int | None = None, reset: bool = False, pause: float = 0
    ) -> None:
        """Send an answer, or only so much of its body."""
        self.send_response_only(answer.status)
        given = {name.lower() for name, _ in answer.headers}
        for name, value in answer.headers:
            if name.lower() not in _OF_THE_CONNECTION:
                self.send_header(name, value)
        if "content-length" not in given:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[:limit])
            self.wfile.flush()
        if limit is not None:
            threading.Event().wait(pause)
            self.hang_up(reset=reset)

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection."""
        self.close_connection = True
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
