"""Errors, named for what to do next.

The hierarchy::

    CampaignError
    ├── RejectRecord        one record or row is invalid: save it with its reason and continue
    ├── RetryLater          a system failed: return the work, it is delivered again
    │   └── OutcomeUnknown  the request may have succeeded: retry only with the same id
    └── Fatal               stop; a person has to act
        ├── BadInput        the input is invalid: names file, line, field and the remedy
        ├── NotFound        the named thing does not exist
        ├── Conflict        a precondition failed: another run changed or holds it
        └── PermanentFailure  a service refused for good: a retry cannot help

Messages name files, lines and fields and never quote a value, which may be a code, a phone number
or a name.
"""

from typing import Self


class CampaignError(Exception):
    """Root of every error that this package raises on purpose."""


class RejectRecord(CampaignError):
    """One record is invalid; it is saved with `reason`, and the other records are processed."""

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.reason = str(self)
        self.field = field


class RetryLater(CampaignError):
    """A system failed or is busy; the same work may succeed when it is delivered again."""


class OutcomeUnknown(RetryLater):
    """The request may have been carried out; send only the same id again."""


class Fatal(CampaignError):
    """A retry cannot help; a person has to act."""


class BadInput(Fatal):
    """The input is invalid; the message names file, line and field, and the remedy.

    Rows of a frame have no line; they are counted from 1 in `row`.
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
        """Return the same error with `file` in its place, for parsers that do not know the file."""
        return type(self)(
            self.problem,
            file=file,
            line=self.line,
            row=self.row,
            field=self.field,
            remedy=self.remedy,
        )


class NotFound(Fatal):
    """The named thing does not exist."""


class Conflict(Fatal):
    """A precondition failed: another run changed or holds the thing."""


class PermanentFailure(Fatal):
    """A service refused for good; a retry cannot help."""
