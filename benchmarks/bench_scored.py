"""processScoredFiles beside its floor: the bare Polars expressions that parse, decide and encode.

`python -m benchmarks.bench_scored --rows 1000000`
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import attrs
import polars as pl
from disposable_email_domains import blocklist

from benchmarks.scored_uploads import CAMPAIGN_ID, write_upload
from campaign_workers.container import Container
from campaign_workers.domain.campaigns import Campaign
from campaign_workers.domain.csv.frames import join_lists
from campaign_workers.domain.lottery import seed_secret_name
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.scrub import ScrubPolicy, scrub
from campaign_workers.domain.scrub.scored_files import parse_fans, scoring_records
from campaign_workers.domain.wire import to_wire
from campaign_workers.settings import Settings

ROWS: Final = 1_000_000
SEED: Final = "benchmark"
WORKER: Final = "processScoredFiles"
KEY: Final = f"scored/{CAMPAIGN_ID}.1.txt"
CREATED: Final = datetime(2026, 10, 1, tzinfo=UTC)


def run(size: float = 1) -> None:
    """Print the rates for `size` times the usual rows."""
    rows = round(ROWS * size)
    with tempfile.TemporaryDirectory() as folder:
        upload = Path(folder, "upload.txt")
        write_upload(upload, rows)
        print(f"{rows:,} rows, {upload.stat().st_size / 1e6:.0f} MB")
        floor = _floor(upload, rows)
        _line("worker, memory adapters", rows, _seconds(_memory(upload)), floor)
        _local(upload, Path(folder, "local"), rows, floor)


def _floor(upload: Path, rows: int) -> float:
    steps: list[tuple[str, Callable[[Any], Any]]] = [
        ("parse", lambda _: _parse(upload)),
        ("decide", lambda fans: scrub(fans, _policy()).collect()),
        ("encode", _encode),
    ]
    value: Any = None
    total = 0.0
    for name, step in steps:
        start = time.perf_counter()
        value = step(value)
        seconds = time.perf_counter() - start
        total += seconds
        _line(f"bare expressions, {name}", rows, seconds)
    _line("bare expressions, all", rows, total)
    return total


def _policy() -> ScrubPolicy:
    return ScrubPolicy(blocked_domains=frozenset(blocklist), lottery_seed=SEED)


def _parse(upload: Path) -> pl.DataFrame:
    rows = pl.read_csv(upload, separator="\t", infer_schema=False, empty_string_is_null=False)
    return parse_fans(rows, CAMPAIGN_ID)


def _encode(fans: pl.DataFrame) -> tuple[list[Any], str]:
    records = scoring_records(fans, source="scored", created=CREATED)
    pairs = list(zip(records["partition_key"].to_list(), records["data"].to_list(), strict=True))
    return pairs, to_wire(fans).with_columns(join_lists(pl.col("marketIds", "tags"))).write_csv()


def _memory(upload: Path) -> Callable[[], object]:
    container = _container(Settings(profile="memory"), upload)
    built: Any = container.build_worker(WORKER)
    worker = attrs.evolve(built, scorings=_Counter())
    return lambda: worker(_event(container))


def _local(upload: Path, folder: Path, rows: int, floor: float) -> None:
    """The local profile in a process of its own, whose peak memory is the worker's."""
    command = [sys.executable, "-m", "benchmarks.bench_scored", "--local", str(folder), str(upload)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, peak = map(float, done.stdout.split())
    _line("worker, local profile", rows, seconds, floor)
    print(f"peak resident memory of the local profile: {peak:.0f} MiB")


def _measure_local(folder: Path, upload: Path) -> None:
    container = _container(Settings(profile="local", dir=folder), upload)
    event = _event(container)
    print(_seconds(lambda: container.worker(WORKER)(event)), _peak_mebibytes())


def _peak_mebibytes() -> float:
    """Peak resident memory; `getrusage` would count what the parent had when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _container(settings: Settings, upload: Path) -> Container:
    container = Container(settings.profile, settings=settings)
    container.campaigns.put(Campaign(campaign_id=CAMPAIGN_ID, stats_channels=("#tour",)))
    container.embedded.secrets.write(seed_secret_name(CAMPAIGN_ID), SEED)
    with upload.open("rb") as source:
        container.scoring.put(KEY, iter(lambda: source.read(1 << 20), b""))
    return container


def _event(container: Container) -> ObjectCreated:
    return ObjectCreated(bucket="scoring", key=KEY, etag=container.scoring.head(KEY).etag)


class _Counter:
    """A stream that costs nothing: what remains is the worker's own time."""

    def put(self, records: Iterable[tuple[str, bytes]]) -> int:
        return sum(1 for _ in records)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _line(what: str, rows: int, seconds: float, floor: float | None = None) -> None:
    ratio = "" if floor is None else f"{seconds / floor:6.2f} x floor"
    print(f"{what:32}{rows / seconds:14,.0f} rows/s{seconds:8.2f} s{ratio}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--local", nargs=2, type=Path, metavar=("DIR", "UPLOAD"))
    chosen = parser.parse_args()
    if chosen.local:
        _measure_local(*chosen.local)
    else:
        run(chosen.rows / ROWS)


if __name__ == "__main__":
    main()
