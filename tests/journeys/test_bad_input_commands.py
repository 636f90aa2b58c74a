"""Wrong files and words on the command line: one line that says what is wrong, and nothing done."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

from campaign_workers.container import Container
from campaign_workers.domain.running.triggers import INPUT_STREAM, WORKERS
from campaign_workers.entrypoints.cli import BAD_INPUT, run
from campaign_workers.settings import Settings
from campaign_workers.testing.builders import registration
from tests.journeys.bad_input_scene import PERSON, PLANTED

CANDIDATES: Final = "globalUserId,score,marketIds,phone\ng1,0.9,nyc|chi,+12125550147\n"
QUOTAS: Final = "marketId,limit\nnyc,1\nchi,1\n"
RECORD: Final = json.dumps(registration("g1", **PERSON)).encode()


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """What the command says; it must be one line, with the status of bad input."""
    assert run([str(word) for word in words]) == BAD_INPUT
    out, complaint = capsys.readouterr()
    assert out == ""
    assert complaint.count("\n") == 1
    assert "unexpected" not in complaint
    assert not PLANTED.search(complaint)
    return complaint


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("quotas", "", ": expected a header"),
        ("quotas", "marketId\nnyc\n", ", line 1, limit: missing"),
        ("quotas", "marketId,limit\nnyc,-1\n", ", line 2, limit: expected a whole number"),
        ("quotas", "marketId,limit\nnyc,\n", ", line 2, limit: expected a whole number"),
        ("quotas", "marketId,limit\nnyc,planted\n", ", line 2, limit: expected a whole number"),
        ("quotas", "marketId,limit\nnyc,1.5\n", ", line 2, limit: expected a whole number"),
        ("quotas", f"marketId,limit\nnyc,{10**30}\n", ", line 2, limit: expected a whole number"),
        ("quotas", "marketId,limit\nnyc,1\nnyc,2\n", ", line 3, marketId: duplicate"),
        ("quotas", "marketId,limit\n,1\n", ", line 2, marketId: empty"),
        ("quotas", "marketId,limit\nnyc\n", ", line 2: expected 2 cells, got 1"),
        ("candidates", "", ": expected a header"),
        ("candidates", "score\n1\n", ", line 1, globalUserId, marketIds: missing"),
        ("candidates", CANDIDATES + "g2,0.8\n", ", line 3: expected 4 cells, got 2"),
        ("candidates", CANDIDATES + 'g2,0.8,"planted\n', ", line 3: expected well-formed CSV"),
        ("candidates", CANDIDATES + "g2,planted,nyc,\n", ", line 3, score: expected a number"),
        (
            "candidates",
            CANDIDATES + "g2,0.8,a|b|c|d|e,\n",
            ", line 3, marketIds: has more than 4 markets",
        ),
        (
            "candidates",
            CANDIDATES + "g2,0.8,nyc|nyc,\n",
            ", line 3, marketIds: contains a market twice",
        ),
        ("candidates", CANDIDATES + "g1,0.8,nyc,\n", ", line 2, globalUserId: occurs twice"),
        ("candidates", CANDIDATES + ",0.8,nyc,\n", ", line 3, globalUserId: value is missing"),
        ("candidates", "globalUserId,global_user_id\n", ": not readable"),
    ],
)
def test_a_wrong_table_of_a_selection_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, complaint: str
) -> None:
    """The complaint names the file that is wrong, and no file is written."""
    files = {"candidates": CANDIDATES, "quotas": QUOTAS, name: content}
    paths = {file: tmp_path / f"{file}.csv" for file in files}
    for file, path in paths.items():
        path.write_text(files[file], encoding="utf-8")
    words = ("--candidates", paths["candidates"], "--quotas", paths["quotas"])
    told = refused(capsys, "select", *words, "--out", tmp_path / "out")
    assert str(paths[name]) in told
    assert complaint in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".avro"])
def test_junk_is_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    """A file that is not what its name says is named."""
    junk, quotas = tmp_path / f"junk{suffix}", tmp_path / "quotas.csv"
    junk.write_bytes(b"\xffplanted\0\xfe")
    quotas.write_text(QUOTAS)
    words = ("--candidates", junk, "--quotas", quotas, "--out", tmp_path / "out")
    assert str(junk) in refused(capsys, "select", *words)


def test_zero_quotas_select_no_fan(tmp_path: Path) -> None:
    """A limit of 0 and a table without markets select no fan."""
    candidates, quotas = tmp_path / "candidates.csv", tmp_path / "quotas.csv"
    candidates.write_text("\N{BOM}" + CANDIDATES.replace("\n", "\r\n"))
    for text in ("marketId,limit\nnyc,0\n", "marketId,limit\n"):
        quotas.write_text(text)
        words = ("--candidates", candidates, "--quotas", quotas, "--out", tmp_path / "out")
        assert run(["select", *map(str, words)]) == 0
        assert len((tmp_path / "out" / "picks.csv").read_text().splitlines()) == 1


def test_a_record_that_no_stream_takes_stops_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named by its line, none of the file is put, and the corrected file is put whole."""
    file, folder = tmp_path / "records.jsonl", tmp_path / "data"
    file.write_bytes(b"\n".join([RECORD, b"", b"planted" * 200_000, RECORD]))
    told = refused(capsys, "put-records", file, "--dir", folder)
    assert f"{file}, line 3: record: over 1 MiB" in told
    assert not folder.exists()
    file.write_bytes(b"\xef\xbb\xbf" + RECORD + b"\r\n\r\n" + RECORD)
    assert run(["put-records", str(file), "--dir", str(folder)]) == 0
    container = Container("local", settings=Settings(profile="local", dir=folder))
    assert container.embedded.streams[INPUT_STREAM].depth() == 2
    assert list(container.lake.list("rejected/")) == []


@pytest.mark.parametrize("key", ["", "..", "../x.txt", "scored/../x.txt", "/scored/x.txt", "a//b"])
def test_an_invalid_key_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    """Nothing is written, inside the bucket or beside it."""
    file, folder = tmp_path / "x.txt", tmp_path / "data" / "inner"
    file.write_text("planted")
    assert "key" in refused(capsys, "put", file, key, "--dir", folder)
    assert [p.name for p in (tmp_path / "data").rglob("*") if p.name == "x.txt"] == []


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize(
    "event",
    [b"\xff", b"[]", b'{"Records": [{}]}', b'{"Records": [{"kinesis": {"data": "planted%"}}]}'],
)
def test_an_unknown_event_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], worker: str, event: bytes
) -> None:
    """Whatever the worker: an event that is none is refused before it begins."""
    file = tmp_path / "event.json"
    file.write_bytes(event)
    refused(capsys, "run", worker, "--event", file, "--dir", tmp_path / "data")


@pytest.mark.parametrize(
    "worker",
    [
        "saveCampaignData", "transformCodeAssignments", "saveSelection", "processScoredFiles",
        "translateRanksToScores", "loadCodeAssignmentsToStream", "generateSmsWaveCodes",
        "processSmsWaveFiles", "processScheduledWave", "mergeAvroFiles", "moveMergedAvroFiles",
        "smsWaveSend",
    ],
)  # fmt: skip
def test_an_empty_event_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], worker: str
) -> None:
    """Workers that need to know what to work on say which field is missing."""
    file = tmp_path / "event.json"
    file.write_bytes(b"\xef\xbb\xbf{}")
    told = refused(capsys, "run", worker, "--event", file, "--dir", tmp_path / "data")
    assert re.search(r"Records|key|missing|not an id|period|waveFilePrefix|Key", told)
