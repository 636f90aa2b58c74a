"""Results of commands: a table for people, the same as JSON."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from rich.console import Console
from rich.table import Table
from rich.text import Text


@attrs.frozen(kw_only=True)
class Result:
    """The result of a command: JSON-ready `data`, and title, columns, rows and notes for people.

    `failed` makes the exit status 1 for a command that ran to its end.
    """

    data: Any
    title: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()
    notes: tuple[str, ...] = ()
    failed: bool = False

    def show(self, console: Console) -> None:
        """Print the table and the notes."""
        if self.rows:
            console.print(_table(self.title, self.columns, self.rows))
        for note in self.notes:
            console.print(note, markup=False, highlight=False, soft_wrap=True)


def _table(title: str, columns: Iterable[str], rows: Iterable[tuple[object, ...]]) -> Table:
    table = Table(title=title or None, title_justify="left")
    cells = [tuple(_cell(value) for value in row) for row in rows]
    for position, column in enumerate(columns):
        numeric = all(type(row[position]) in {int, float} for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*row)
    return table


def _cell(value: object) -> Text:
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if not isinstance(value, int | float):
        return Text(str(value))
    return Text(f"{value:,}")


def lines(*notes: str, data: Mapping[str, Any], failed: bool = False) -> Result:
    """Return a result that is printed as lines without a table."""
    return Result(data=data, notes=notes, failed=failed)


class RunTotals:
    """Runs and summed counts of each worker."""

    def __init__(self) -> None:
        self.runs: Counter[str] = Counter()
        self._counts: dict[str, Counter[str]] = {}

    def add(self, run: Any) -> None:
        """Add one run."""
        self.runs[run.worker] += 1
        self._counts.setdefault(run.worker, Counter()).update(run.result["count"])

    def result(
        self,
        *,
        data: Any = None,
        title: str = "",
        notes: tuple[str, ...] = (),
        failed: bool = False,
    ) -> Result:
        """Return a table with a row per worker."""
        return Result(
            data=data,
            title=title,
            columns=("worker", "runs", "counts"),
            rows=tuple(
                (worker, runs, "  ".join(f"{k} {v:,}" for k, v in self._counts[worker].items()))
                for worker, runs in self.runs.items()
            ),
            notes=notes,
            failed=failed,
        )
