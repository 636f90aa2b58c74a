"""What became of the rows of a wave file, and how reports count it."""

from collections import Counter
from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class RowOutcome(IntEnum):
    """The outcome of one row of a wave file; a value fits into one byte.

    A row is pending until its registrant was notified or cannot be; every other outcome is final.
    Outcomes from `NO_FAN` on are failures.
    """

    PENDING = 0
    SMS = 1
    """A text was accepted by the SMS service."""
    EMAIL = 2
    """An e-mail was queued."""
    OVER_LIMIT = 3
    """The wave's `totalLimit` was reached before this row."""
    DUPLICATE = 4
    """An earlier row has the same fan and market."""
    NO_FAN = 5
    """The row has no `globalUserId`."""
    NO_CODE = 6
    """The text has a place for a code, and the row has no code."""
    NO_CHANNEL = 7
    """The registrant can be reached neither by text nor by e-mail."""
    REFUSED = 8
    """The SMS service refused the text permanently, and there is no e-mail address."""
    CHANGED = 9
    """The row was changed after a text may have been sent."""
    TOO_LARGE = 10
    """The e-mail is larger than a message may be."""

    @property
    def is_final(self) -> bool:
        """Whether the outcome cannot change any more."""
        return self is not RowOutcome.PENDING


FAILURE_NAMES: Final[Mapping[RowOutcome, str]] = {
    RowOutcome.NO_FAN: "noFan",
    RowOutcome.NO_CODE: "noCode",
    RowOutcome.NO_CHANNEL: "noChannel",
    RowOutcome.REFUSED: "refused",
    RowOutcome.CHANGED: "changed",
    RowOutcome.TOO_LARGE: "tooLarge",
}
"""Failure -> its name in reports."""

_COUNT_NAMES: Final[Mapping[RowOutcome, str]] = {
    RowOutcome.SMS: "sms",
    RowOutcome.EMAIL: "email",
    **dict.fromkeys(FAILURE_NAMES, "failed"),
    RowOutcome.OVER_LIMIT: "overLimit",
    RowOutcome.DUPLICATE: "duplicates",
}
"""Final outcome -> the count of a report that it belongs to, in the order of the report."""


def count_outcomes(outcomes: Mapping[RowOutcome, int]) -> dict[str, int]:
    """Return the counts of a report: total = ok + failed + overLimit + duplicates.

    Args:
        outcomes: how many rows have each outcome; pending rows are not counted.
    """
    counts = dict.fromkeys(_COUNT_NAMES.values(), 0)
    for outcome, name in _COUNT_NAMES.items():
        counts[name] += outcomes.get(outcome, 0)
    return {"total": sum(counts.values()), "ok": counts["sms"] + counts["email"], **counts}


def count_failures(outcomes: Mapping[RowOutcome, int]) -> dict[str, int]:
    """Return the number of failed rows by the name of the failure, without zeros."""
    return {name: outcomes[key] for key, name in FAILURE_NAMES.items() if outcomes.get(key)}


def tally_outcomes(values: bytes | bytearray) -> Counter[RowOutcome]:
    """Count the final outcomes in a sequence with one byte for each row."""
    return Counter({each: values.count(each) for each in RowOutcome if each.is_final})
