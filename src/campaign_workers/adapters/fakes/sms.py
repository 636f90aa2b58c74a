"""The text message service's stand-in: keeps what it accepted."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from campaign_workers.adapters.fakes.failures import Faults
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.domain.errors import PermanentFailure
from campaign_workers.domain.records.types import iso_utc, parse_utc
from campaign_workers.ports.sms_service import TextMessage
from campaign_workers.ports.system import Clock

LONGEST_TEXT: Final = 1600
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


@attrs.frozen(kw_only=True)
class SentText:
    """A text that was accepted, and when."""

    message: TextMessage
    accepted: datetime


class SmsOutbox:
    """Serves `SmsService`: an id once, and for each repeat the answer that it got first.

    Numbers that end in one of `dead_endings` are dead, so that a share of the texts fails.
    """

    def __init__(
        self,
        tables: Tables,
        clock: Clock,
        *,
        dead_endings: Collection[str] = (),
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._clock = clock
        self._dead_endings = tuple(dead_endings)
        self._texts = tables("texts")

    async def send(self, message: TextMessage) -> None:
        """See `SmsService.send`."""
        with self.faults.around("send"):
            row = self._text(message)
            if self._texts.insert(message.message_id, row):
                refusal = row["refusal"]
            else:
                first = self._texts.get(message.message_id) or row
                refusal = first["refusal"]
            if refusal:
                raise PermanentFailure(refusal)

    def sent(self, group: str | None = None) -> Iterator[SentText]:
        """What was accepted, of one group or of all, by message id."""
        for message_id, row in self._texts.scan():
            if not row["refusal"] and group in {None, row["group"]}:
                names = ("phone", "text", "group", "metadata")
                message = TextMessage(message_id=message_id, **{n: row[n] for n in names})
                yield SentText(message=message, accepted=parse_utc(row["accepted"]))

    def counts(self) -> Mapping[str, int]:
        """How many texts of each group were accepted."""
        return Counter(row["group"] for _, row in self._texts.scan() if not row["refusal"])

    def _text(self, message: TextMessage) -> dict[str, Any]:
        return {
            "phone": message.phone,
            "text": message.text,
            "group": message.group,
            "metadata": dict(message.metadata),
            "accepted": iso_utc(self._clock.now()),
            "refusal": self._refusal(message),
        }

    def _refusal(self, message: TextMessage) -> str:
        reasons = (
            (not _E164.fullmatch(message.phone), "not an E.164 number"),
            (not message.text.strip(), "no text"),
            (len(message.text) > LONGEST_TEXT, f"a text over {LONGEST_TEXT} characters"),
            (message.phone.endswith(self._dead_endings), "the number is dead"),
        )
        return next((reason for applies, reason in reasons if applies), "")
