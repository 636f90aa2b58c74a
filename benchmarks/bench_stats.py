"""saveStats on MongoDB: a count where the entries lie, beside the domain's fold over them.

`python -m benchmarks.bench_stats --entries 200000`. `MONGODB_URI` points it at a MongoDB; without
it the server of the tests counts, many times slower.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

from pymongo.database import Database

from campaign_workers.adapters.mongo.admin_stats import MongoAdminStatsRepository
from campaign_workers.adapters.mongo.campaigns import MongoCampaignRepository
from campaign_workers.adapters.mongo.connection import database
from campaign_workers.adapters.mongo.entries import MongoEntryRepository
from campaign_workers.adapters.mongo.indexes import ensure_indexes
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.stats import admin_stats
from campaign_workers.domain.stats.admin import Entry
from campaign_workers.testing.builders import CREATED, campaign, entry
from campaign_workers.workers.save_stats import SaveStats
from tests.servers.mongo import raw_client, uri_of
from tests.servers.mongo_documents import Document, plant_campaign, plant_entries

ENTRIES: Final = 20_000
FEW: Final = 100
BATCH: Final = 5_000
MARKETS: Final = tuple(f"m{number}" for number in range(20))
LOCALES: Final = ("en-us", "fr-ca", "es-mx", None)

T = TypeVar("T")


def run(size: float = 1) -> None:
    """Print the rates, and the peak memory of the worker beside that for a few entries.

    Raises:
        AssertionError: database and domain do not agree.
    """
    entries, name = round(ENTRIES * size), f"bench_{uuid4().hex}"
    raw = raw_client()[name]
    try:
        few = _saved(name, FEW)
        many = _saved(name, entries)
        fold, expected = _timed(lambda: admin_stats(made(entries)))
        saved = MongoAdminStatsRepository(raw).read(_id(entries))
        assert saved is not None
        assert saved.stats == expected, "database and domain do not agree"
    finally:
        raw_client().drop_database(name)
    _line("worker, counted in the database", entries, many[0])
    _line("fold in the domain", entries, fold)
    print("the figures are the same")
    print(f"peak resident memory of the worker: {many[1]:.1f} MiB, for {FEW} entries {few[1]:.1f}")


def made(entries: int) -> Iterator[Entry]:
    """Plausible entries, the same in every run, one at a time."""
    for number in range(entries):
        wishes = number % 5
        yield entry(
            f"g{number}",
            campaign_id=_id(entries),
            email=f"fan{number}@mail.example",
            first_name="Ada",
            phone="+12125550162",
            locale=LOCALES[number % 7 % 4],
            market_ids=tuple(MARKETS[(number * 7 + rank * 3) % 20] for rank in range(wishes)),
            opt_in_email=number % 2 == 0,
            opt_in_sms=number % 3 == 0,
            phone_confirmed=number % 4 != 0,
            referrer_code="R1" if number % 11 == 0 else None,
            blocked=number % 50 == 0,
            codes={"m1": f"C{number}"} if number % 13 == 0 else {},
            created=CREATED + timedelta(minutes=number % 40_000),
        )


def _id(entries: int) -> str:
    return f"tour-{entries}"


def _saved(name: str, entries: int) -> tuple[float, float]:
    """Plant a campaign and save its figures in a process of its own: seconds, mebibytes."""
    raw = raw_client()[name]
    raw.campaigns.delete_many({})
    plant_campaign(raw, campaign(_id(entries)))
    source = made(entries)
    planting, _ = _timed(lambda: _plant(raw, source))
    _line(f"planting {entries:,}", entries, planting)
    ensure_indexes(raw)
    command = [sys.executable, "-m", "benchmarks.bench_stats", "--worker", uri_of(name)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, peak = map(float, done.stdout.split())
    return seconds, peak


def _plant(raw: Database[Document], source: Iterator[Entry]) -> None:
    while batch := list(islice(source, BATCH)):
        plant_entries(raw, batch)


def _work(uri: str) -> None:
    opened = database(uri)
    worker = SaveStats(
        campaigns=MongoCampaignRepository(opened),
        entries=MongoEntryRepository(opened, counting_seconds=600),
        stats=MongoAdminStatsRepository(opened),
        clock=SystemClock(),
    )
    seconds, _ = _timed(lambda: worker(Tick()))
    opened.client.close()
    print(seconds, _peak_mebibytes())


def _peak_mebibytes() -> float:
    """Peak resident memory; `getrusage` would count what the parent had when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _timed(call: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    value = call()
    return time.perf_counter() - start, value


def _line(what: str, entries: int, seconds: float) -> None:
    print(f"{what:32}{entries / seconds:14,.0f} entries/s{seconds:8.2f} s")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--worker", metavar="URI")
    chosen = parser.parse_args()
    if chosen.worker:
        _work(chosen.worker)
    else:
        run(chosen.entries / ENTRIES)


if __name__ == "__main__":
    main()
