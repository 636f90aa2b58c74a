"""The progress of a wave: the outcome of each row of its file, and where the next call goes on."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Self

import attrs

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.events import optional_flag, required_text
from campaign_workers.domain.storage.layout import parse_wave_config_key
from campaign_workers.domain.waves.outcomes import (
    RowOutcome,
    count_failures,
    count_outcomes,
    tally_outcomes,
)

_MAX_SEGMENTS: Final = 255


@attrs.frozen(kw_only=True)
class Cursor:
    """The position at which the next call continues.

    `etag` is the version of the wave file. Every row before `position` has a final outcome;
    `outcomes` and `segments` sum up these rows.
    """

    etag: str
    position: int
    outcomes: Mapping[RowOutcome, int] = attrs.field(factory=dict)
    segments: int = 0

    @classmethod
    def parse(cls, raw: object) -> Self:
        """Parse a cursor that an earlier call returned.

        Raises:
            BadInput: `raw` is not such a cursor.
        """
        try:
            outcomes = {RowOutcome[name]: _count(n) for name, n in raw["fates"].items()}  # type: ignore[index]
            position, segments = _count(raw["position"]), _count(raw["segments"])  # type: ignore[index]
            etag = raw["etag"]  # type: ignore[index]
        except (AttributeError, KeyError, TypeError, ValueError):
            raise _not_a_cursor() from None
        is_complete = sum(outcomes.values()) == position and RowOutcome.PENDING not in outcomes
        if not isinstance(etag, str) or not is_complete:
            raise _not_a_cursor()
        return cls(etag=etag, position=position, outcomes=outcomes, segments=segments)

    def to_json(self) -> dict[str, Any]:
        """Return the cursor as a JSON object."""
        return {
            "etag": self.etag,
            "position": self.position,
            "fates": {outcome.name: count for outcome, count in self.outcomes.items()},
            "segments": self.segments,
        }


@attrs.frozen(kw_only=True)
class SendRequest:
    """A request of the state machine: send a wave, continue at a cursor, or give the wave up.

    `version` is the config version for which the execution was started; None means the current
    one.
    """

    config_key: str
    wave: str
    version: str | None = None
    cursor: Cursor | None = None
    give_up: bool = False

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Parse `{configKey, version?, cursor?, giveUp?}`.

        Raises:
            BadInput: the key is not the key of a wave config, or another field is invalid.
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
    """The outcomes of the rows from a position on; one byte for each row keeps memory small."""

    def __init__(self, cursor: Cursor | None) -> None:
        self.position = cursor.position if cursor else 0
        self._before = Counter(cursor.outcomes) if cursor else Counter[RowOutcome]()
        self._segments_before = cursor.segments if cursor else 0
        self._outcomes, self._segments = bytearray(), bytearray()

    def is_pending(self, row: int) -> bool:
        """Whether a row has no final outcome yet; rows up to it become known as pending."""
        if row < self.position:
            return False
        missing = row - self.position + 1 - len(self._outcomes)
        self._outcomes.extend(bytes(max(0, missing)))
        self._segments.extend(bytes(max(0, missing)))
        return self._outcomes[row - self.position] == RowOutcome.PENDING

    def record(self, row: int, outcome: RowOutcome, *, segments: int = 0) -> None:
        """Record the outcome of a row that `is_pending` was called for."""
        self._outcomes[row - self.position] = outcome
        self._segments[row - self.position] = min(segments, _MAX_SEGMENTS)

    @property
    def pending_rows(self) -> int:
        """The number of rows that were read and have no final outcome yet."""
        return self._outcomes.count(RowOutcome.PENDING)

    def cursor(self, etag: str) -> Cursor:
        """Return the cursor at the first pending row, for version `etag` of the wave file."""
        first = self._outcomes.find(RowOutcome.PENDING)
        end = len(self._outcomes) if first < 0 else first
        return Cursor(
            etag=etag,
            position=self.position + end,
            outcomes=dict(self._before + tally_outcomes(self._outcomes[:end])),
            segments=self._segments_before + sum(self._segments[:end]),
        )

    def counts(self) -> dict[str, int]:
        """Return the counts of the whole wave so far, with `segments` and `unsettled` rows."""
        return {
            **count_outcomes(self._total()),
            "segments": self._segments_before + sum(self._segments),
            "unsettled": self.pending_rows,
        }

    def failures(self) -> dict[str, int]:
        """Return the number of failed rows by reason."""
        return count_failures(self._total())

    def _total(self) -> Counter[RowOutcome]:
        return self._before + tally_outcomes(self._outcomes)


def _not_a_cursor() -> BadInput:
    return BadInput(
        "expected a cursor that this worker returned", field="cursor", remedy="pass it unchanged"
    )


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("not a count")
