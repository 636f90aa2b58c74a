"""The errors file of a wave: registrants without a usable code, who turned them away, and why.

Several workers look at a wave, each for its own reasons, and each as often as it is run. So every
row names its worker, and a worker replaces its own rows and no others.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain, islice
from typing import BinaryIO, Final

from campaign_workers.domain.csv.rows import Row, read_rows, read_table, write_rows

WORKER_COLUMN: Final = "worker"
REASON_COLUMN: Final = "reason"
SOURCE_COLUMN: Final = "waveFileSha256"
"""SHA-256 of the wave file that a row was taken out of, as it was left behind."""

_FILE: Final = "the errors file of the wave"
_OURS: Final = (WORKER_COLUMN, REASON_COLUMN, SOURCE_COLUMN)

Opener = Callable[[], BinaryIO]


def errors_file(
    existing: Opener | None,
    worker: str,
    columns: Sequence[str],
    fresh: Iterable[Mapping[str, str]],
    *,
    source: str = "",
) -> Iterator[bytes] | None:
    """The file with the rows of `worker` replaced by `fresh` ones; None if there need be no file.

    `columns` are those of the wave file; each fresh row has a reason besides. `source` is the
    digest of the wave file that they were taken out of. Rows are ordered by worker, so that the
    order in which workers run makes no difference.
    """
    rows = iter(fresh)
    first = list(islice(rows, 1))
    if existing is None and not first:
        return None
    known = () if existing is None else _columns(existing)
    wave_columns = dict.fromkeys(c for c in (*known, *columns) if c not in _OURS)
    ours = {WORKER_COLUMN: worker, SOURCE_COLUMN: source}
    return write_rows(
        [*wave_columns, *_OURS],
        chain(
            (row for row in _rows(existing) if row[WORKER_COLUMN] < worker),
            ({**row, **ours} for row in chain(first, rows)),
            (row for row in _rows(existing) if row[WORKER_COLUMN] > worker),
        ),
    )


def rows_taken_out(existing: Opener | None, worker: str, source: str) -> Iterator[dict[str, str]]:
    """The rows that `worker` took out of a wave file when it left `source` behind."""
    for row in _rows(existing):
        if (row[WORKER_COLUMN], row[SOURCE_COLUMN]) == (worker, source):
            yield row


def refused(rows: Iterable[Row], reasons: Mapping[int, str]) -> Iterator[dict[str, str]]:
    """The rows of a wave file that have a reason by their line, each with it."""
    for row in rows:
        if row.line in reasons:
            yield {**row.cells, REASON_COLUMN: reasons[row.line]}


def _rows(existing: Opener | None) -> Iterator[dict[str, str]]:
    if existing is not None:
        with closing(existing()) as source:
            for row in read_rows(source, file=_FILE, required=_OURS):
                yield row.cells


def _columns(existing: Opener) -> tuple[str, ...]:
    with closing(existing()) as source:
        return read_table(source, file=_FILE, required=_OURS).columns
