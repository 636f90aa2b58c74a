"""Days, months and late files: however merging went, every record is in the lake once."""

import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.avro.block_merge import BlockMerge
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.streams import MemoryMessageQueue
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.running.events import QueueMessage
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from campaign_workers.workers.merge_avro_files import MergeAvroFiles
from campaign_workers.workers.move_merged_avro_files import MoveMergedAvroFiles
from tests.lake_scenes import (
    CODEC,
    DAILY,
    DAY,
    NOW,
    contents,
    decode,
    fans_in,
    keys,
    manifest,
    merge,
    new_lake,
    plant,
    queue,
)

MONTHLY = {"inputPrefix": "2026/09"}
MONTH = "avro/registration/2026/09"


def test_a_month_takes_its_days_and_what_they_lack() -> None:
    """A month merges its days' merged files and any file that is in none of them."""
    lake, moves = new_lake(), queue()
    plant(lake, f"{DAY}/a.avro", 1)
    plant(lake, f"{MONTH}/01/z.avro", 7)
    merge(lake, DAILY, moves)
    plant(lake, f"{DAY}/late.avro", 2)
    plant(lake, f"{MONTH}/05/b.avro", 3)
    report = merge(lake, {"type": "monthly"}, moves, now=datetime(2026, 10, 2, 9, tzinfo=UTC))
    assert fans_in(lake, f"{MONTH}/merged") == Counter(["g1", "g2", "g3", "g7"])
    assert report.counts["out"] == 4
    assert manifest(lake, "2026/09") == {
        f"{MONTH}/01/z.avro": 1,
        f"{DAY}/late.avro": 1,
        f"{DAY}/merged": 1,
        f"{MONTH}/05/b.avro": 1,
    }
    assert json.dumps([MONTH]) in moves.bodies()


def test_a_month_takes_merged_days_that_somebody_else_made() -> None:
    """A merged file that does not say what it contains is a file of its day like any other."""
    lake, moves = new_lake(), queue()
    plant(lake, f"{MONTH}/01/merged", 1, 2)
    merge(lake, MONTHLY, moves)
    assert fans_in(lake, f"{MONTH}/merged") == Counter(["g1", "g2"])
    move_all(lake, moves)
    assert keys(lake, f"{MONTH}/") == [f"{MONTH}/merged"]
    assert merge(lake, MONTHLY, moves).details["outcome"] == "nothing new"


def test_a_day_that_changed_after_its_month_is_taken_again() -> None:
    """Another merged file under the same key is another file: it is not taken for the old one."""
    lake = new_lake()
    plant(lake, f"{DAY}/a.avro", 1)
    merge(lake)
    merge(lake, MONTHLY)
    lake.delete([f"{DAY}/a.avro", f"{DAY}/merged"])
    plant(lake, f"{DAY}/late.avro", 2)
    merge(lake)
    merge(lake, MONTHLY)
    assert fans_in(lake, f"{MONTH}/merged") == Counter(["g1", "g2"])


def test_a_day_leaves_to_its_month_what_that_took() -> None:
    """Files of a day that only the month has merged are not merged again before they are moved."""
    lake, moves = new_lake(), queue()
    plant(lake, f"{DAY}/a.avro", 1)
    merge(lake, MONTHLY, moves)
    assert merge(lake, moves=moves).details["outcome"] == "nothing new"
    plant(lake, f"{DAY}/late.avro", 2)
    merge(lake, moves=moves)
    assert fans_in(lake, f"{DAY}/merged") == Counter(["g2"])
    merge(lake, MONTHLY, moves)
    assert fans_in(lake, f"{MONTH}/merged") == Counter(["g1", "g2"])


def test_days_and_months_agree_after_all() -> None:
    """Merged by day and then by month, or by month alone, the records are the same."""
    by_day, at_once = new_lake(), new_lake()
    for lake in (by_day, at_once):
        for day in range(1, 6):
            plant(lake, f"{MONTH}/{day:02d}/x.avro", day, day + 10)
    for day in range(5):
        merge(by_day, now=NOW + timedelta(days=day))
    merge(by_day, MONTHLY)
    merge(at_once, MONTHLY)
    target = f"{MONTH}/merged"
    assert fans_in(by_day, target) == fans_in(at_once, target)
    assert len(decode(by_day.open(target).read())) == 10


def test_a_day_waits_until_its_month_moved_it() -> None:
    """Its merged file is in the month: with a late file added it would come there twice."""
    lake, moves = new_lake(), queue()
    plant(lake, f"{DAY}/a.avro", 1)
    merge(lake, moves=moves)
    merge(lake, MONTHLY)
    plant(lake, f"{DAY}/late.avro", 2)
    with pytest.raises(RetryLater, match="already merged into its month"):
        merge(lake, moves=moves)
    move_all(lake, moves)
    merge(lake, moves=moves)
    assert fans_in(lake, f"{DAY}/merged") == Counter(["g2"])


def move_all(lake: MemoryObjectStore, moves: MemoryMessageQueue) -> None:
    """Deliver each move message; what fails comes again with the next merge."""
    while received := moves.receive(1, visibility_seconds=0):
        moves.delete(received[0].message_id)
        message = QueueMessage(message_id="1", body=received[0].body)
        with suppress(RetryLater):
            MoveMergedAvroFiles(lake=lake)(message)


steps = st.lists(
    st.tuples(st.just("arrive"), st.sampled_from(["02", "05"]))
    | st.tuples(st.just("merge"), st.sampled_from(["2026/09/02", "2026/09/05", "2026/09"]))
    | st.just(("move", "")),
    min_size=6,
    max_size=14,
) | st.lists(st.just(("arrive", "02")) | st.just(("merge", "2026/09")), max_size=4)


@given(steps)
def test_every_record_is_kept_once_in_whatever_order(steps: list[tuple[str, str]]) -> None:
    """Files that arrive, merges and moves in any order: in the end the month has each record."""
    lake, moves = new_lake(), queue()
    for number, (step, of) in enumerate([*steps, ("move", ""), ("merge", "2026/09")]):
        if step == "arrive":
            plant(lake, f"{MONTH}/{of}/{number}.avro", number)
        elif step == "move":
            move_all(lake, moves)
        else:
            with suppress(RetryLater):
                merge(lake, {"inputPrefix": of}, moves)
    move_all(lake, moves)
    arrived = Counter(f"g{n}" for n, (step, _) in enumerate(steps) if step == "arrive")
    assert keys(lake, f"{MONTH}/") == ([f"{MONTH}/merged"] if arrived else [])
    assert (fans_in(lake, f"{MONTH}/merged") if arrived else Counter()) == arrived


def arrive(lake: MemoryObjectStore) -> None:
    """Files of two days, a merged file of another tool, and a late file."""
    plant(lake, f"{MONTH}/01/merged", 1)
    plant(lake, f"{MONTH}/01/a.avro", 2)
    plant(lake, f"{DAY}/b.avro", 3, 3)
    merge(lake, {"inputPrefix": "2026/09/02"})
    plant(lake, f"{DAY}/late.avro", 4)
    plant(lake, f"{MONTH}/05/c.avro", 5)


@pytest.mark.parametrize("prefix", ["2026/09/01", "2026/09/02", "2026/09/05", "2026/09"])
@pytest.mark.parametrize("dead_manifest", [False, True])
def test_any_kill_is_survived(prefix: str, dead_manifest: bool) -> None:
    """Wherever a merge dies, the next one ends as one clean run, and no record is doubled."""
    payload = {"inputPrefix": prefix}

    def scene(port: Any) -> CrashCase:
        lake, moves, clock = new_lake(), queue(), SteppedClock(NOW)
        arrive(lake)
        if dead_manifest:
            lake.delete(["manifests/registration/2026/09/02.json"])
        worker = MergeAvroFiles(
            lake=port(lake),
            engine=port(BlockMerge(lake=port(lake))),
            codec=CODEC,
            moves=port(moves),
            clock=port(clock),
        )
        return CrashCase(
            run=lambda: worker(worker.parse(payload)),
            snapshot=lambda: (contents(lake), set(moves.bodies())),
        )

    assert assert_survives_every_kill(scene) >= 14
