"""`run`, `put` and `put-records`: call one worker, on this machine or on AWS."""

import json
from collections import deque
from pathlib import Path
from typing import Annotated, Any, Literal

import attrs
from cyclopts import Parameter

from campaign_workers.container import Container
from campaign_workers.container.profiles import EMBEDDED
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.triggers import INPUT_STREAM, STREAMS, WORKERS
from campaign_workers.entrypoints.cli.campaign_runner import read_chunks
from campaign_workers.entrypoints.cli.files import (
    parse_document,
    read_document,
    read_standard_input,
    require_file,
)
from campaign_workers.entrypoints.cli.results import Result, RunTotals, lines
from campaign_workers.entrypoints.cli.uploads import partition_key, records
from campaign_workers.entrypoints.envelopes import events
from campaign_workers.settings import load_settings

DIR = Path("campaign-data")
CallProfile = Literal["local", "aws"]


def run(
    worker: str,
    /,
    *,
    event: Annotated[str, Parameter(allow_leading_hyphen=True)] = "-",
    profile: CallProfile = "local",
    folder: Annotated[Path, Parameter(name="--dir")] = DIR,
) -> Result:
    """Run one worker and print its report; the next `put` runs what that starts.

    Parameters
    ----------
    worker
        saveCampaignData, transformCodeAssignments, saveSelection, processScoredFiles,
        translateRanksToScores, loadCodeAssignmentsToStream, generateSmsWaveCodes,
        processSmsWaveFiles, processScheduledWave, mergeAvroFiles, moveMergedAvroFiles, saveStats,
        slackStats, smsWaveScheduler or smsWaveSend.
    event
        File with an event as AWS sends it, or with a payload; `-` is standard input.
    profile
        Where the worker's buckets, streams and services are.
    folder
        Folder of the embedded buckets, streams and tables.
    """
    if worker not in WORKERS:
        raise BadInput("unknown worker", field=worker, remedy=f"use one of {', '.join(WORKERS)}")
    payload = _payload(event)
    container = _container(profile, folder)
    reports = [container.call(worker, item).to_json() for item in events(worker, payload)]
    data = reports[0] if len(reports) == 1 else reports
    return Result(data=data, notes=(json.dumps(data, ensure_ascii=False, indent=1),))


def put(
    file: Path,
    key: str,
    /,
    *,
    bucket: Literal["scoring", "campaignData"] = "scoring",
    profile: CallProfile = "local",
    folder: Annotated[Path, Parameter(name="--dir")] = DIR,
) -> Result:
    """Upload a file to a bucket; an embedded one runs what that starts.

    Parameters
    ----------
    file
        File to upload.
    key
        Object key to upload it to.
    bucket
        Bucket to upload it to.
    profile
        Where the bucket is.
    folder
        Folder of the embedded buckets, streams and tables.
    """
    require_file(file)
    container = _container(profile, folder)
    info = container.buckets[bucket].put(key, read_chunks(file))
    return _run_until_idle(container, {"key": info.key, "size": info.size, "etag": info.etag})


def put_records(
    file: Path,
    /,
    *,
    stream: str = INPUT_STREAM,
    profile: CallProfile = "local",
    folder: Annotated[Path, Parameter(name="--dir")] = DIR,
) -> Result:
    """Put the lines of a file on a stream; an embedded one runs what that starts.

    Parameters
    ----------
    file
        File with one JSON record per line.
    stream
        Stream to put the records on.
    profile
        Where the stream is.
    folder
        Folder of the embedded buckets, streams and tables.
    """
    if stream not in STREAMS:
        raise BadInput(
            "unknown stream", field="--stream", remedy=f"use one of {', '.join(STREAMS)}"
        )
    require_file(file)
    # Validate the whole file first, so that a file with a bad line is not put in part.
    deque(records(file), maxlen=0)
    container = _container(profile, folder)
    put = container.streams[stream].put((partition_key(line), line) for line in records(file))
    return _run_until_idle(container, {"stream": stream, "records": put})


def _container(profile: CallProfile, folder: Path) -> Container:
    """Return the container of a profile; all other settings come from the environment."""
    return Container(settings=attrs.evolve(load_settings(), profile=profile, dir=folder))


def _run_until_idle(container: Container, done: dict[str, Any]) -> Result:
    """Run all that was started and report it; fail if work went to the dead letters."""
    if container.settings.profile not in EMBEDDED:
        return lines(*(f"{name}: {value}" for name, value in done.items()), data=done)
    runs: list[dict[str, Any]] = []
    tally = RunTotals()

    def observe(run: Any) -> None:
        tally.add(run)
        runs.append({"worker": run.worker, "source": run.source, **run.result})

    container.runtime.observe = observe
    known = len(container.journal.dead_letters())
    container.runtime.run_until_idle()
    dead = container.journal.dead_letters()[known:]
    notes = (
        *(() if runs or dead else ("nothing ran: this starts no worker",)),
        *(f"{letter.worker} gave up on {letter.source}: {letter.reason}" for letter in dead),
    )
    data = {**done, "runs": runs, "deadLetters": [letter.wire() for letter in dead]}
    return tally.result(data=data, notes=notes, failed=bool(dead))


def _payload(event: str) -> dict[str, Any]:
    if event != "-":
        return read_document(Path(event))
    return parse_document(read_standard_input() or b"{}", "standard input")
