"""The first answer to an idempotency key, which is the answer to every repeat."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from campaign_workers.doubles.problems import Problem, Reply

MOST: Final = 100_000


@attrs.define
class _First:
    turn: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    request: bytes = b""
    reply: Reply | None = None


@attrs.define
class FirstAnswers:
    """Remembers the latest 100,000; a request that failed was not answered."""

    _kept: OrderedDict[tuple[str, str], _First] = attrs.field(factory=OrderedDict, init=False)

    async def once(
        self,
        operation: str,
        key: str,
        request: bytes,
        carry_out: Callable[[], Awaitable[Reply]],
    ) -> Reply:
        """Carry a request out, or answer as it was answered first.

        Raises:
            Problem: the key belongs to another request, or carrying it out ends so.
        """
        first = self._kept.setdefault((operation, key), _First())
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        async with first.turn:
            if first.reply is None:
                first.reply = await carry_out()
                first.request = request
            elif first.request != request:
                raise Problem("key-reused")
            return first.reply
