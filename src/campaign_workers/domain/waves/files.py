"""Wave files: their registrants, the file with offer codes, and the errors file.

The errors file lists the registrants without a usable code. Several workers write it, each as
often as it runs, so every row names its worker, and a worker replaces its own rows only.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain, islice
from typing import BinaryIO, Final, Self
from uuid import NAMESPACE_URL, uuid5

import attrs

from campaign_workers.domain.codes import is_external
from campaign_workers.domain.csv.rows import Row, read_rows, read_table, write_rows
from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.waves.config import WaveConfig

COLUMNS: Final[Mapping[str, str]] = {
    "code": "code",
    "do_not_text": "doNotText",
    "email": "email",
    "first_name": "firstName",
    "last_name": "lastName",
    "link": "link",
    "locale": "locale",
    "market_id": "marketId",
    "global_user_id": "globalUserId",
    "member_id": "memberId",
    "mobile_number": "mobileNumber",
    "sms_text": "smsText",
}
"""Attribute -> column of wave files, in the order in which this package writes them."""

OPTIONAL_COLUMNS: Final = frozenset({"code", "link", "locale", "marketId", "memberId", "smsText"})

REQUIRED_COLUMNS: Final = tuple(
    column for column in COLUMNS.values() if column not in OPTIONAL_COLUMNS
)

_TEXTING_ALLOWED: Final = frozenset({"", "false", "0", "no"})


@attrs.frozen(kw_only=True)
class Registrant:
    """A selected fan in one market of a wave; absent cells are empty strings."""

    line: int
    global_user_id: str
    market_id: str = ""
    member_id: str = ""
    locale: str = ""
    do_not_text: bool = False
    code: str = attrs.field(default="", repr=False)
    email: str = attrs.field(default="", repr=False)
    first_name: str = attrs.field(default="", repr=False)
    last_name: str = attrs.field(default="", repr=False)
    link: str = attrs.field(default="", repr=False)
    mobile_number: str = attrs.field(default="", repr=False)
    sms_text: str = attrs.field(default="", repr=False)

    @classmethod
    def parse(cls, cells: Mapping[str, str], line: int) -> Self:
        """Parse a row by its columns; `line` is its line in the file.

        Raises:
            RejectRecord: the row has no `globalUserId`.
        """
        values = {name: cells.get(column, "").strip() for name, column in COLUMNS.items()}
        if not values["global_user_id"]:
            raise RejectRecord("missing", field="globalUserId")
        do_not_text = values.pop("do_not_text").lower() not in _TEXTING_ALLOWED
        return cls(line=line, do_not_text=do_not_text, **values)


# --- offer codes ---

CODE_COLUMN: Final = "code"


def needs_code(row: Row) -> bool:
    """Whether the row still needs a code: its cell is empty or has the placeholder."""
    return not is_external(row.cells.get(CODE_COLUMN, "").strip())


def offer_code_key(wave: str, config: WaveConfig, registrant: Registrant) -> str:
    """Return the idempotency key of a registrant's code.

    Campaign and category are part of it, because a later campaign may reuse the name of a wave.
    """
    unit = (
        config.campaign_id,
        config.category_id,
        wave,
        registrant.global_user_id,
        registrant.market_id,
    )
    return str(uuid5(NAMESPACE_URL, f"campaign-workers:offer-code:{json.dumps(unit)}"))


def with_codes(
    columns: Sequence[str], rows: Iterable[Row], codes: Mapping[int, str], left_out: Iterable[int]
) -> Iterator[bytes]:
    """Yield the wave file with new codes.

    Args:
        columns: the columns of the wave file.
        rows: its rows.
        codes: the new codes by line.
        left_out: lines that are omitted.
    """
    omitted = frozenset(left_out)
    all_columns = columns if CODE_COLUMN in columns else (CODE_COLUMN, *columns)
    kept = (row for row in rows if row.line not in omitted)
    return write_rows(
        all_columns,
        (
            {**row.cells, CODE_COLUMN: codes[row.line]} if row.line in codes else row.cells
            for row in kept
        ),
    )


def sha256(chunks: Iterable[bytes]) -> str:
    """Return the SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


# --- the errors file ---

WORKER_COLUMN: Final = "worker"
REASON_COLUMN: Final = "reason"
SOURCE_COLUMN: Final = "waveFileSha256"
"""SHA-256 of the wave file from which a row was removed, as it was after the removal."""

_ERRORS_FILE: Final = "the errors file of the wave"
_ADDED_COLUMNS: Final = (WORKER_COLUMN, REASON_COLUMN, SOURCE_COLUMN)

Opener = Callable[[], BinaryIO]
"""Opens a file, as often as needed."""


def build_errors_file(
    existing: Opener | None,
    worker: str,
    columns: Sequence[str],
    new_rows: Iterable[Mapping[str, str]],
    *,
    source: str = "",
) -> Iterator[bytes] | None:
    """Return the errors file with the rows of `worker` replaced; None if no file is needed.

    Rows are ordered by worker, so the order in which the workers run makes no difference.

    Args:
        existing: opens the existing errors file, if there is one.
        worker: whose rows are replaced.
        columns: the columns of the wave file.
        new_rows: the worker's new rows, each with its reason.
        source: the digest of the wave file from which they were removed.
    """
    rows = iter(new_rows)
    first = list(islice(rows, 1))
    if existing is None and not first:
        return None
    known = () if existing is None else _columns(existing)
    wave_columns = dict.fromkeys(c for c in (*known, *columns) if c not in _ADDED_COLUMNS)
    added = {WORKER_COLUMN: worker, SOURCE_COLUMN: source}
    return write_rows(
        [*wave_columns, *_ADDED_COLUMNS],
        chain(
            (row for row in _rows(existing) if row[WORKER_COLUMN] < worker),
            ({**row, **added} for row in chain(first, rows)),
            (row for row in _rows(existing) if row[WORKER_COLUMN] > worker),
        ),
    )


def removed_rows(existing: Opener | None, worker: str, source: str) -> Iterator[dict[str, str]]:
    """Yield the rows that `worker` removed from the wave file with the digest `source`."""
    for row in _rows(existing):
        if (row[WORKER_COLUMN], row[SOURCE_COLUMN]) == (worker, source):
            yield row


def rows_with_reason(rows: Iterable[Row], reasons: Mapping[int, str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a wave file whose line has a reason, each with its reason."""
    for row in rows:
        if row.line in reasons:
            yield {**row.cells, REASON_COLUMN: reasons[row.line]}


def _rows(existing: Opener | None) -> Iterator[dict[str, str]]:
    if existing is not None:
        with closing(existing()) as source:
            for row in read_rows(source, file=_ERRORS_FILE, required=_ADDED_COLUMNS):
                yield row.cells


def _columns(existing: Opener) -> tuple[str, ...]:
    with closing(existing()) as source:
        return read_table(source, file=_ERRORS_FILE, required=_ADDED_COLUMNS).columns
