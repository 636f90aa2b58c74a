"""Errors, named for what to do next.

The hierarchy::

    CampaignError
    ├── RejectRecord        one record or row is wrong: keep it with its reason and go on
    ├── RetryLater          a system failed: give the work back, it is delivered again
    │   └── OutcomeUnknown  the request may have been carried out: retry with the same id only
    └── Fatal               stop; a person has to act
        ├── BadInput        what came in is wrong: file, line, field and the remedy
        ├── NotFound        what was named does not exist
        ├── Conflict        somebody else changed or holds it (a failed precondition)
        └── PermanentFailure  a service refused for good: asking again cannot help

Messages name files, lines and fields, never a value: values may be codes, phones or names.
"""

from typing import Self


class CampaignError(Exception):
    """Root of every error that this package raises on purpose."""


class RejectRecord(CampaignError):
    """One record is wrong; `reason` goes to the rejected records, the rest goes on."""

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.reason = str(self)
        self.field = field


class RetryLater(CampaignError):
    """A system failed or is busy; the same work delivered again may succeed."""


class OutcomeUnknown(RetryLater):
    """Nobody knows whether the request was carried out; only the same id may be sent again."""


class Fatal(CampaignError):
    """Trying again cannot help; a person has to act."""


class BadInput(Fatal):
    """What came in is wrong. The message names file, line and field, and what to do.

    What is read from a frame knows no line: there a `row` counts from 1.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        line: int | None = None,
        row: int | None = None,
        field: str | None = None,
        remedy: str | None = None,
    ) -> None:
        numbers = [f"{name} {at}" for name, at in (("line", line), ("row", row)) if at is not None]
        place = ", ".join(part for part in (file, *numbers, field) if part is not None)
        message = f"{place}: {problem}" if place else problem
        super().__init__(f"{message}; {remedy}" if remedy else message)
        self.problem, self.remedy = problem, remedy
        self.file, self.line, self.row, self.field = file, line, row, field

    def within(self, file: str) -> Self:
        """The same error with `file` as its place, for readers that do not know the name."""
        return type(self)(
            self.problem,
            file=file,
            line=self.line,
            row=self.row,
            field=self.field,
            remedy=self.remedy,
        )


class NotFound(Fatal):
    """What was named does not exist."""


class Conflict(Fatal):
    """A precondition failed: somebody else changed or holds it."""


class PermanentFailure(Fatal):
    """A service refused for good: asking again cannot help."""
