"""How far a wave has come: what became of each row of its file, and where to go on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, Self, TypeVar

import attrs

from campaign_workers.domain.csv.rows import Row
from campaign_workers.domain.errors import BadInput, RejectRecord
from campaign_workers.domain.running.events import optional_flag, required_text
from campaign_workers.domain.storage.layout import parse_wave_config_key
from campaign_workers.domain.waves.notifications import FAILURES, Fate, Notification, Registrant

_T = TypeVar("_T")

_SEGMENTS_KEPT: Final = 255


@attrs.frozen(kw_only=True)
class Cursor:
    """Where the next call goes on.

    `etag` is the version of the wave file; every row before `position` is settled, and `fates` and
    `segments` count what became of those.
    """

    etag: str
    position: int
    fates: Mapping[Fate, int] = attrs.field(factory=dict)
    segments: int = 0

    @classmethod
    def parse(cls, raw: object) -> Self:
        """A cursor as an earlier call returned it.

        Raises:
            BadInput: it is none.
        """
        try:
            fates = {Fate[name]: _count(n) for name, n in raw["fates"].items()}  # type: ignore[index]
            position, segments = _count(raw["position"]), _count(raw["segments"])  # type: ignore[index]
            etag = raw["etag"]  # type: ignore[index]
        except (AttributeError, KeyError, TypeError, ValueError):
            raise BadInput("not a cursor that this worker returned", field="cursor") from None
        if not isinstance(etag, str) or sum(fates.values()) != position or Fate.OPEN in fates:
            raise BadInput("not a cursor that this worker returned", field="cursor")
        return cls(etag=etag, position=position, fates=fates, segments=segments)

    def wire(self) -> dict[str, Any]:
        """The cursor as a JSON object."""
        return {
            "etag": self.etag,
            "position": self.position,
            "fates": {fate.name: count for fate, count in self.fates.items()},
            "segments": self.segments,
        }


@attrs.frozen(kw_only=True)
class SendRequest:
    """What the state machine asks: send a wave, go on with it, or give it up.

    `version` is that of the config for which the execution was started, None for whatever lies
    there.
    """

    config_key: str
    wave: str
    version: str | None = None
    cursor: Cursor | None = None
    give_up: bool = False

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Read `{configKey, version?, cursor?, giveUp?}`.

        Raises:
            BadInput: the key is not that of a wave config, or another field is none of ours.
        """
        key = required_text(payload, "configKey")
        wave, _ = parse_wave_config_key(key)
        cursor = payload.get("cursor")
        return cls(
            config_key=key,
            wave=wave,
            version=required_text(payload, "version") if "version" in payload else None,
            cursor=None if cursor is None else Cursor.parse(cursor),
            give_up=optional_flag(payload, "giveUp", default=False),
        )


class Progress:
    """What became of each row from a position on; one byte a row, so any wave fits."""

    def __init__(self, cursor: Cursor | None) -> None:
        self.position = cursor.position if cursor else 0
        self._before = Counter(cursor.fates) if cursor else Counter[Fate]()
        self._segments_before = cursor.segments if cursor else 0
        self._fates, self._segments = bytearray(), bytearray()

    def is_open(self, row: int) -> bool:
        """Whether nothing is known of a row yet; makes place for it."""
        if row < self.position:
            return False
        missing = row - self.position + 1 - len(self._fates)
        self._fates.extend(bytes(max(0, missing)))
        self._segments.extend(bytes(max(0, missing)))
        return self._fates[row - self.position] == Fate.OPEN

    def note(self, row: int, fate: Fate, *, segments: int = 0) -> None:
        """Write down what became of an open row."""
        self._fates[row - self.position] = fate
        self._segments[row - self.position] = min(segments, _SEGMENTS_KEPT)

    @property
    def unsettled_rows(self) -> int:
        """Rows seen of which nothing is known yet."""
        return self._fates.count(Fate.OPEN)

    def cursor(self, etag: str) -> Cursor:
        """Where to go on: at the first row of which nothing is known."""
        first = self._fates.find(Fate.OPEN)
        end = len(self._fates) if first < 0 else first
        return Cursor(
            etag=etag,
            position=self.position + end,
            fates=dict(self._before + self._count(end)),
            segments=self._segments_before + sum(self._segments[:end]),
        )

    def counts(self) -> dict[str, int]:
        """The counts of the whole wave as far as it is known: total = ok + failed + the rest."""
        fates = self._before + self._count(len(self._fates))
        known = {
            "sms": fates[Fate.SMS],
            "email": fates[Fate.EMAIL],
            "failed": sum(fates[fate] for fate in FAILURES),
            "overLimit": fates[Fate.OVER_LIMIT],
            "duplicates": fates[Fate.DUPLICATE],
        }
        return {
            "total": sum(known.values()),
            "ok": known["sms"] + known["email"],
            **known,
            "segments": self._segments_before + sum(self._segments),
            "unsettled": self.unsettled_rows,
        }

    def failures(self) -> dict[str, int]:
        """How many rows failed, by reason."""
        fates = self._before + self._count(len(self._fates))
        return {name: fates[fate] for fate, name in FAILURES.items() if fates[fate]}

    def _count(self, end: int) -> Counter[Fate]:
        part = self._fates[:end]
        return Counter({fate: part.count(fate) for fate in Fate if fate is not Fate.OPEN})


def judged(
    rows: Iterable[Row], *, campaign_id: str, wave: str, limit: int
) -> Iterator[tuple[int, Notification | Fate]]:
    """Each row with its number: who is to be notified, or why that row never is.

    The unit is the fan in a market: of several rows of one the first counts, and the first
    `limit` units of the file are notified, whichever call comes to them.
    """
    seen: set[str] = set()
    for number, row in enumerate(rows):
        try:
            registrant = Registrant.read(row.cells, row.line)
        except RejectRecord:
            yield number, Fate.NO_FAN
            continue
        notification = Notification.of(campaign_id, wave, registrant)
        if notification.message_id in seen:
            yield number, Fate.DUPLICATE
            continue
        seen.add(notification.message_id)
        yield number, notification if len(seen) <= limit else Fate.OVER_LIMIT


def batches(rows: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The rows in lists of `size`, the last one shorter."""
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("not a count")
