"""Wrong tables: every file with columns, wrong in every way, before each worker that reads it.

The error names the file, the line and the column, and never a value; nothing is
half done; and the file as it should have been, uploaded in its place, gets the work done.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import attrs
import pytest

from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import WaveState
from campaign_workers.testing.builders import CAMPAIGN
from tests.journeys.bad_input_scene import CODES, PERSON, WAVE, Scene

Rows = list[list[str]]


@attrs.frozen(kw_only=True)
class Reader:
    """A worker that reads a table: the key and the content of the table, and its start.

    Without `required` a table is refused; `cell` is the column in which cells are damaged.
    """

    worker: str
    key: str
    rows: Rows
    required: str
    cell: str
    start: Callable[[Scene], object]
    delimiter: str = ","
    alone: str = ""
    """What is said of a header without rows, if that is an error."""
    buried: tuple[str, ...] = ()
    """Who has a dead letter when the table is wrong; callers of the others hear it at once."""

    def table(self, rows: Rows, **form: Any) -> bytes:
        """Rows as a file."""
        text = io.StringIO()
        form = {"delimiter": self.delimiter, "lineterminator": "\n"} | form
        csv.writer(text, **form).writerows(rows)
        return text.getvalue().encode()

    def column(self, name: str) -> int:
        """The place of a column."""
        return self.rows[0].index(name)

    def with_cell(self, cell: str) -> Rows:
        """The rows with a cell of the second fan replaced, on line 3."""
        changed = [list(row) for row in self.rows]
        changed[2][self.column(self.cell)] = cell
        return changed


def wave_config(**changes: Any) -> bytes:
    """The config of the wave."""
    config = {
        "campaignId": CAMPAIGN,
        "categoryId": 77,
        "totalLimit": 100,
        "generateOfferCode": False,
        "tiedToAccount": True,
        "notifyDate": "2026-09-01T00:00:00Z",
    }
    return json.dumps(config | changes).encode()


def schedule(scene: Scene) -> None:
    """Schedule the wave, or schedule it again after it failed, and let the scheduler look."""
    failed = layout.wave_config_key(WAVE, WaveState.FAILED)
    config = scene.read(failed) if scene.keys(failed) else wave_config()
    scene.upload(layout.wave_config_key(WAVE, WaveState.SCHEDULED), config)
    scene.wait(minutes=5)


def trigger(scene: Scene) -> None:
    """Put the config where loading starts."""
    scene.upload(layout.wave_config_key(WAVE, WaveState.TRIGGERED), wave_config())


def generate(scene: Scene) -> None:
    """Have codes made, for a wave that goes out in a year."""
    config = json.loads(wave_config(generateOfferCode=True, notifyDate="2027-09-01T00:00:00Z"))
    scene.invoke("generateSmsWaveCodes", {"waveFilePrefix": WAVE, "config": config})


def assign(scene: Scene) -> None:
    """Have the codes of the file assigned."""
    scene.invoke("processScheduledWave", {"fileKey": layout.wave_file_key(WAVE)})


def prepare(scene: Scene) -> None:
    """Have a wave prepared."""
    scene.invoke("processSmsWaveFiles", {"campaignId": CAMPAIGN, "dateKey": "d1"})


def upload(scene: Scene) -> None:
    """The upload starts the worker by itself."""


REGISTRANTS: Final[Rows] = [
    ["code", "doNotText", "email", "firstName", "lastName", "globalUserId", "mobileNumber",
     "smsText", "link", "marketId"],
    *([code, "", PERSON["email"], PERSON["firstName"], PERSON["lastName"], fan, PERSON["phone"],
       "{firstName}: {code} {link}", "https://planted.example", "chi"]
      for fan, code in (("g1", CODES[0]), ("g2", CODES[1]))),
]  # fmt: skip
SCORED: Final[Rows] = [
    ["globalUserId", "email", "phone", "score", "marketIds"],
    ["g1", PERSON["email"], PERSON["phone"], "0.9", "nyc|chi"],
    ["g2", PERSON["email"], PERSON["phone"], "0.8", "chi"],
]
RANKS: Final[Rows] = [
    ["rank", "globalUserId", "email"],
    ["1", "g1", PERSON["email"]],
    ["2", "g2", PERSON["email"]],
]
MARKETS: Final[Rows] = [
    ["marketId", "marketName", "ticketType", "limit", "smsText"],
    ["nyc", "New York", "TM", "5", "hello {firstName}"],
    ["chi", "Chicago", "NON_TM", "2", "hello {firstName}"],
]


def of_wave(worker: str, start: Callable[[Scene], object], *buried: str) -> Reader:
    """A reader of the wave file."""
    return Reader(
        worker=worker,
        key=layout.wave_file_key(WAVE),
        rows=REGISTRANTS,
        required="email",
        cell="firstName",
        start=start,
        buried=buried,
    )


READERS: Final = (
    Reader(
        worker="processScoredFiles",
        key=layout.scored_key(f"{CAMPAIGN}.20260901"),
        rows=SCORED,
        required="email",
        cell="phone",
        start=upload,
        delimiter="\t",
        buried=("processScoredFiles",),
        alone="expected rows below the header, got none",
    ),
    Reader(
        worker="translateRanksToScores",
        key=layout.fanlist_upload_key(CAMPAIGN, "members"),
        rows=RANKS,
        required="rank",
        cell="email",
        start=upload,
        buried=("translateRanksToScores",),
    ),
    Reader(
        worker="processSmsWaveFiles",
        key=layout.market_details_key(CAMPAIGN, "d1"),
        rows=MARKETS,
        required="limit",
        cell="smsText",
        start=prepare,
        alone="no market",
    ),
    of_wave("generateSmsWaveCodes", generate),
    of_wave("loadCodeAssignmentsToStream", trigger, "loadCodeAssignmentsToStream"),
    of_wave("processScheduledWave", assign),
    of_wave("smsWaveSend", schedule, "loadCodeAssignmentsToStream", "smsWaveSend"),
)

each_reader = pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.worker)


def broken(content: bytes, cell: bytes) -> bytes:
    """The file with the cell `HERE` replaced by what no text has."""
    return content.replace(b"HERE", cell)


Damage = Callable[[Reader], tuple[bytes, str]]

DAMAGES: Final[dict[str, Damage]] = {
    "empty": lambda r: (b"", ": expected a header"),
    "a gzip of nothing": lambda r: (gzip.compress(b"", mtime=0), ", line 1: expected UTF-8"),
    "UTF-16": lambda r: (r.table(r.rows).decode().encode("utf-16"), ", line 1: expected UTF-8"),
    "no such column": lambda r: (
        r.table(r.rows).replace(r.required.encode(), b"other", 1),
        f", line 1, {r.required}: column is missing",
    ),
    "a column twice": lambda r: (
        r.table([[*row, row[r.column(r.required)]] for row in r.rows]),
        f", line 1, {r.required}: this column occurs twice",
    ),
    "a short row": lambda r: (
        r.table([*r.rows[:2], r.rows[2][:-1]]),
        rf", line 3: expected {len(r.rows[0])} cells, got {len(r.rows[0]) - 1}",
    ),
    "a long row": lambda r: (
        r.table([*r.rows[:2], [*r.rows[2], "planted"]]),
        rf", line 3: expected {len(r.rows[0])} cells, got {len(r.rows[0]) + 1}",
    ),
    "Latin-1": lambda r: (
        broken(r.table(r.with_cell("HERE")), b"planted \xe9"),
        f", line 3, {r.cell}: expected UTF-8",
    ),
    "a NUL": lambda r: (
        broken(r.table(r.with_cell("HERE")), b"planted\0"),
        f", line 3, {r.cell}: expected text, got a NUL",
    ),
    "a quote left open": lambda r: (
        broken(r.table(r.with_cell("HERE")), b'"planted'),
        ", line 3: expected well-formed CSV",
    ),
    "an endless cell": lambda r: (
        r.table(r.with_cell("planted" * 5000)),
        f", line 3, {r.cell}: expected at most 32768 characters",
    ),
}

FORMS: Final[dict[str, Callable[[Reader], bytes]]] = {
    "a BOM": lambda r: b"\xef\xbb\xbf" + r.table(r.rows),
    "CRLF": lambda r: r.table(r.rows).replace(b"\n", b"\r\n"),
    "a BOM and CRLF": lambda r: b"\xef\xbb\xbf" + r.table(r.rows).replace(b"\n", b"\r\n"),
    "no last line end": lambda r: r.table(r.rows).rstrip(b"\n"),
    "blank lines": lambda r: r.table(r.rows).replace(b"\n", b"\n\n"),
    "columns in another order": lambda r: r.table([row[::-1] for row in r.rows]),
    "a column that nobody knows": lambda r: r.table([[*row, "planted"] for row in r.rows]),
    "every cell in quotes": lambda r: r.table(r.rows, quoting=csv.QUOTE_ALL),
}


@cache
def clean_counts(worker: str) -> dict[str, int]:
    """What the worker counts of the file as it should be."""
    [reader] = (reader for reader in READERS if reader.worker == worker)
    scene = Scene()
    scene.upload(reader.key, reader.table(reader.rows))
    reader.start(scene)
    counts = scene.counts(reader.worker)
    assert counts, scene.reported_problems()
    assert max(counts.values()) == 2
    return counts


@each_reader
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_wrong_table_is_reported_and_can_be_corrected(
    scene: Scene, reader: Reader, damage: str
) -> None:
    """The complaint names file, line and column; the mended file gets the work done."""
    content, complaint = DAMAGES[damage](reader)
    scene.upload(reader.key, content)
    reader.start(scene)
    assert any(
        re.search(re.escape(reader.key) + complaint, told) for told in scene.reported_problems()
    ), scene.reported_problems()
    assert sorted(worker for worker, _ in scene.dead_letters()) == list(reader.buried)
    assert scene.read(reader.key) == content
    assert not any((scene.counts(reader.worker) or {}).values())

    scene.upload(reader.key, reader.table(reader.rows))
    reader.start(scene)
    assert scene.counts(reader.worker) == clean_counts(reader.worker)
    assert scene.imbalances() == []
    assert len(scene.dead_letters()) == len(reader.buried)


@each_reader
@pytest.mark.parametrize("form", FORMS)
def test_a_table_may_come_from_any_editor(scene: Scene, reader: Reader, form: str) -> None:
    """A BOM, CRLF, blank lines, other columns: the outcome is that of the plain file."""
    scene.upload(reader.key, FORMS[form](reader))
    reader.start(scene)
    assert scene.counts(reader.worker) == clean_counts(reader.worker), scene.reported_problems()


@each_reader
def test_a_header_alone_is_reported_or_counts_nothing(scene: Scene, reader: Reader) -> None:
    """A table without rows is an error where rows are needed, and else a run of nothing."""
    scene.upload(reader.key, reader.table(reader.rows[:1]))
    reader.start(scene)
    if reader.alone:
        assert any(f"{reader.key}: {reader.alone}" in told for told in scene.reported_problems())
        assert scene.counts(reader.worker) is None
    else:
        assert scene.reported_problems() == []
        assert set((scene.counts(reader.worker) or {"none": 1}).values()) == {0}
