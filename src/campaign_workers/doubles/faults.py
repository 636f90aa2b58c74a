"""Fault injection: which request fails, how, and what the client receives instead."""

import asyncio
import hashlib
import json
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from threading import Lock
from typing import Final, Self

import attrs
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from campaign_workers.domain.errors import BadInput
from campaign_workers.doubles.documents import SERVICES
from campaign_workers.doubles.problems import Problem, Reply

TRANSPORT: Final = "campaign_workers.transport"
"""The ASGI extension with the transport of the connection."""
_DRIP_CHUNKS: Final = 10
_RESET_AT_ONCE: Final = struct.pack("ii", 1, 0)


class FaultKind(StrEnum):
    """Kinds of faults. The first four act before the operation, the others after it."""

    LATENCY = "latency"
    TOO_MANY = "too-many"
    ERROR = "error"
    RESET = "reset"
    ANSWER_LOST = "answer-lost"
    GARBAGE = "garbage"
    DRIP = "drip"


_DEFAULTS: Final = {
    FaultKind.LATENCY: 0.05,
    FaultKind.TOO_MANY: 1.0,
    FaultKind.ERROR: 503.0,
    FaultKind.DRIP: 0.05,
}


@attrs.frozen
class Fault:
    """A fault; `value` is an HTTP status, or the seconds of a delay or of `Retry-After`."""

    kind: FaultKind
    value: float = attrs.field()

    @value.default
    def _default(self) -> float:
        return _DEFAULTS.get(self.kind, 0.0)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `kind` or `kind=value`, for example `error=502`.

        Raises:
            BadInput: the text has another form, or the value is out of range.
        """
        name, separator, value = text.strip().partition("=")
        try:
            kind = FaultKind(name)
            fault = cls(kind, float(value)) if separator else cls(kind)
        except ValueError:
            raise BadInput(
                "unknown fault", field="fault", remedy=f"use {', '.join(FaultKind)}, or kind=number"
            ) from None
        if not 0 <= fault.value < 600 or (kind is FaultKind.ERROR and fault.value < 400):
            raise BadInput(
                "the value is out of range",
                field="fault",
                remedy="use a status of 400-599, or 0-599 seconds",
            )
        return fault


@attrs.frozen(kw_only=True)
class _Shares:
    shares: Mapping[Fault, float]
    services: Collection[str]
    seed: str = attrs.field(repr=False)
    in_a_row: int | None


@attrs.define
class _QueuedFault:
    fault: Fault
    services: Collection[str]
    times: float


@attrs.define
class FaultInjector:
    """Decides which request gets which fault; threads may share it."""

    injected: Counter[tuple[str, FaultKind]] = attrs.field(factory=Counter, init=False)
    """The number of injected faults by service and kind."""
    _queue: list[_QueuedFault] = attrs.field(factory=list, init=False)
    _shares: _Shares | None = attrs.field(default=None, init=False)
    _attempts: Counter[bytes] = attrs.field(factory=Counter, init=False)
    _consecutive: Counter[str] = attrs.field(factory=Counter, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False, repr=False)

    def inject(self, fault: Fault, *, service: str | None = None, times: float = 1) -> None:
        """Inject the fault into the next requests of one service, or of any service.

        Raises:
            BadInput: the service is unknown.
        """
        with self._lock:
            self._queue.append(_QueuedFault(fault, _single_service(service), times))

    def inject_shares(
        self,
        shares: Mapping[Fault, float],
        *,
        services: Collection[str] | None = None,
        seed: str = "",
        in_a_row: int | None = None,
    ) -> None:
        """Inject faults into a share of all requests.

        Args:
            shares: The share of requests, between 0 and 1, that get each fault.
            services: The services concerned, all by default.
            seed: Chooses the requests, the same ones in every run.
            in_a_row: The maximum number of consecutive faults for one correlation id.

        Raises:
            BadInput: the shares are not between 0 and 1 in total, or a service is unknown.
        """
        if not (all(share >= 0 for share in shares.values()) and sum(shares.values()) <= 1):
            raise BadInput("expected shares between 0 and 1 in total", field="shares")
        with self._lock:
            self._shares = _Shares(
                shares=shares, services=_check_services(services), seed=seed, in_a_row=in_a_row
            )
            self._attempts.clear()
            self._consecutive.clear()

    def clear(self) -> None:
        """Stop injecting faults; the counts stay."""
        with self._lock:
            self._queue.clear()
            self._shares = None

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of injected faults by service and kind, ready for JSON."""
        counts: dict[str, dict[str, int]] = {}
        for (service, kind), times in sorted(self.injected.items()):
            counts.setdefault(service, {})[str(kind)] = times
        return counts

    @contextmanager
    def outage(self, service: str | None = None) -> Iterator[None]:
        """Answer every request of one service, or of all, with status 503 during the context.

        Raises:
            BadInput: the service is unknown.
        """
        queued = _QueuedFault(Fault(FaultKind.ERROR), _single_service(service), float("inf"))
        with self._lock:
            self._queue.insert(0, queued)
        try:
            yield
        finally:
            with self._lock:
                self._queue.remove(queued)

    def next_fault(self, service: str, request: bytes, correlation_id: str) -> Fault | None:
        """Return the fault for one attempt of a request, None if there is none.

        Args:
            service: The name of the service.
            request: The content of the request, which must be the same in every run.
            correlation_id: The id that the attempts of one request share.
        """
        with self._lock:
            fault = self._queued_fault(service) or self._random_fault(
                service, request, correlation_id
            )
            if fault:
                self.injected[service, fault.kind] += 1
            return fault

    def _queued_fault(self, service: str) -> Fault | None:
        queued = next((queued for queued in self._queue if service in queued.services), None)
        if queued is None:
            return None
        queued.times -= 1
        if queued.times <= 0:
            self._queue.remove(queued)
        return queued.fault

    def _random_fault(self, service: str, request: bytes, correlation_id: str) -> Fault | None:
        shares = self._shares
        if shares is None or service not in shares.services:
            return None
        digest = hashlib.sha256(f"{shares.seed}:{service}:".encode() + request).digest()
        self._attempts[digest] += 1
        fault = _choose_fault(shares.shares, digest + str(self._attempts[digest]).encode())
        if fault is None or self._consecutive[correlation_id] == shares.in_a_row:
            self._consecutive.pop(correlation_id, None)
            return None
        self._consecutive[correlation_id] += 1
        return fault


def _single_service(service: str | None) -> Collection[str]:
    return _check_services(None if service is None else [service])


def _check_services(services: Collection[str] | None) -> Collection[str]:
    """Return the given services, or all; a misspelt one would silently never fail.

    Raises:
        BadInput: a service is unknown.
    """
    if services is None:
        return SERVICES
    if not set(SERVICES).issuperset(services):
        raise BadInput("unknown service", field="service", remedy=f"use {', '.join(SERVICES)}")
    return services


def _choose_fault(shares: Mapping[Fault, float], name: bytes) -> Fault | None:
    number = int.from_bytes(hashlib.sha256(name).digest()[:7]) / 2**56
    for fault, share in shares.items():
        number -= share
        if number < 0:
            return fault
    return None


class ConnectionReset(Response):
    """No response: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reset the connection and wait until it is closed."""
        transport = scope["extensions"][TRANSPORT]
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def replace_operation(fault: Fault | None) -> Response | None:
    """Return the response that replaces the operation, None if it is to be carried out.

    Raises:
        Problem: the fault is an error response.
    """
    match fault:
        case Fault(kind=FaultKind.LATENCY, value=seconds):
            await asyncio.sleep(seconds)
        case Fault(kind=FaultKind.TOO_MANY, value=seconds):
            raise Problem("too-many-requests", retry_after=int(seconds))
        case Fault(kind=FaultKind.ERROR, value=status):
            raise Problem.of_status(int(status))
        case Fault(kind=FaultKind.RESET):
            return ConnectionReset()
    return None


def to_http_response(reply: Reply, fault: Fault | None, headers: Mapping[str, str]) -> Response:
    """Return the HTTP response for a reply, damaged by the fault if there is one."""
    headers = {**headers, **reply.headers}
    body = b"" if reply.content is None else json.dumps(reply.content).encode()
    match fault:
        case Fault(kind=FaultKind.ANSWER_LOST):
            return ConnectionReset()
        case Fault(kind=FaultKind.GARBAGE) if body:
            damaged = body[: len(body) // 2] + b'{"\xff'
            return Response(damaged, reply.status, headers, reply.media_type)
        case Fault(kind=FaultKind.DRIP, value=seconds) if body:
            headers["Content-Length"] = str(len(body))
            return StreamingResponse(_drip(body, seconds), reply.status, headers, reply.media_type)
    return Response(body, reply.status, headers, reply.media_type if body else None)


async def _drip(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    size = max(1, -(-len(body) // _DRIP_CHUNKS))
    for start in range(0, len(body), size):
        await asyncio.sleep(seconds)
        yield body[start : start + size]
