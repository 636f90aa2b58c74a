"""Slack's stand-in: keeps what was posted."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from campaign_workers.adapters.fakes.failures import Faults, may_fail
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.domain.errors import PermanentFailure
from campaign_workers.domain.records.types import iso_utc, parse_utc
from campaign_workers.ports.system import Clock

MOST_BLOCKS: Final = 50
LONGEST_TEXT: Final = 40_000


@attrs.frozen(kw_only=True)
class Post:
    """A message in a channel."""

    channel: str
    text: str
    blocks: tuple[Mapping[str, Any], ...]
    posted: datetime


class ChatLog:
    """Serves `Chat`, with Slack's limits; any channel exists unless `channels` are named."""

    def __init__(
        self,
        tables: Tables,
        clock: Clock,
        *,
        channels: Collection[str] | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._clock = clock
        self._channels = channels
        self._posts = tables("posts")
        self._numbers = tables("posts.numbers")

    @may_fail
    def post(self, channel: str, text: str, blocks: Sequence[Mapping[str, Any]] = ()) -> None:
        """See `Chat.post`."""
        if not channel or (self._channels is not None and channel not in self._channels):
            raise PermanentFailure("there is no such channel")
        if not (text or blocks) or len(text) > LONGEST_TEXT or len(blocks) > MOST_BLOCKS:
            raise PermanentFailure("a message that is empty or too long")
        row = {
            "channel": channel,
            "text": text,
            "blocks": [dict(block) for block in blocks],
            "posted": iso_utc(self._clock.now()),
        }
        with self._posts.atomic():
            number = (self._numbers.get("next") or {"number": 0})["number"]
            self._numbers.put("next", {"number": number + 1})
            self._posts.put(f"{number:012d}", row)

    def posts(self, channel: str | None = None) -> Iterator[Post]:
        """What was posted, in one channel or in all, oldest first."""
        for _, row in self._posts.scan():
            if channel in {None, row["channel"]}:
                yield Post(
                    channel=row["channel"],
                    text=row["text"],
                    blocks=tuple(row["blocks"]),
                    posted=parse_utc(row["posted"]),
                )
