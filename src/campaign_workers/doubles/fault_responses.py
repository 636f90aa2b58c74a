"""Answers that come late, spoilt, drop by drop, or not at all."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from typing import Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from campaign_workers.doubles.faults import Fault, Kind
from campaign_workers.doubles.problems import Problem, Reply

DROPS: Final = 10
TRANSPORT: Final = "campaign_workers.transport"
_RESET_AT_ONCE: Final = struct.pack("ii", 1, 0)


class HangUp(Response):
    """No answer: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reset it, and wait until it is gone."""
        transport = scope["extensions"][TRANSPORT]
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def before(fault: Fault | None) -> Response | None:
    """What happens instead of carrying the request out; None if it is carried out.

    Raises:
        Problem: the fault is one that is told.
    """
    match fault:
        case Fault(kind=Kind.LATENCY, value=seconds):
            await asyncio.sleep(seconds)
        case Fault(kind=Kind.TOO_MANY, value=seconds):
            raise Problem("too-many-requests", retry_after=int(seconds))
        case Fault(kind=Kind.ERROR, value=status):
            raise Problem.of_status(int(status))
        case Fault(kind=Kind.RESET):
            return HangUp()
    return None


def response(reply: Reply, fault: Fault | None, headers: Mapping[str, str]) -> Response:
    """The answer as it goes out."""
    every = {**headers, **reply.headers}
    body = b"" if reply.content is None else json.dumps(reply.content).encode()
    match fault:
        case Fault(kind=Kind.ANSWER_LOST):
            return HangUp()
        case Fault(kind=Kind.GARBAGE) if body:
            spoilt = body[: len(body) // 2] + b'{"\xff'
            return Response(spoilt, reply.status, every, reply.media_type)
        case Fault(kind=Kind.DRIP, value=seconds) if body:
            every["Content-Length"] = str(len(body))
            return StreamingResponse(_drops(body, seconds), reply.status, every, reply.media_type)
    return Response(body, reply.status, every, reply.media_type if body else None)


async def _drops(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    size = max(1, -(-len(body) // DROPS))
    for start in range(0, len(body), size):
        await asyncio.sleep(seconds)
        yield body[start : start + size]
