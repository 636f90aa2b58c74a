"""A TCP relay on loopback that can be cut, for outages that a client meets on the wire."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Relay:
    """Passes bytes on to `host` and `port` while it is not cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._cut = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Drop every connection, and every new one, as long as the context lasts."""
        self._cut.set()
        for end in tuple(self._open):
            _shut(end)
        try:
            yield
        finally:
            self._cut.clear()

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            if self._cut.is_set():
                near.close()
                continue
            far = socket.create_connection(self._target)
            for end in (near, far):
                # Small pieces of one request would wait for one another.
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open |= {near, far}
            self._start(self._pass_on, near, far)
            self._start(self._pass_on, far, near)
            if self._cut.is_set():
                # It was cut while this connection was being made.
                _shut(near)

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for end in (source, sink):
            _shut(end)
        with suppress(KeyError):
            self._open.remove(source)
        source.close()

    def _start(self, target: Callable[..., None], *args: socket.socket) -> None:
        threading.Thread(target=target, args=args, daemon=True).start()


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
