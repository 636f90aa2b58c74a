"""mergeAvroFiles: one file a day, one a month; every record kept, none taken twice."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.avro.block_merge import BlockMerge
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.errors import BadInput, Fatal, RetryLater
from tests.lake_scenes import (
    CODEC,
    DAILY,
    DAY,
    NOW,
    MarkedStore,
    contents,
    fans,
    fans_in,
    keys,
    manifest,
    merge,
    new_lake,
    plant,
    queue,
)


def test_a_day_becomes_one_file() -> None:
    """The merged file has every record, the manifest every source, and a move is asked for."""
    lake, moves = new_lake(), queue()
    plant(lake, f"{DAY}/a.avro", 1, 2)
    plant(lake, f"{DAY}/b.avro", 3)
    plant(lake, "avro/registration/2026/09/03/other-day.avro", 9)
    report = merge(lake, DAILY, moves)
    assert fans_in(lake, f"{DAY}/merged") == Counter(["g1", "g2", "g3"])
    assert manifest(lake, "2026/09/02") == {f"{DAY}/a.avro": 2, f"{DAY}/b.avro": 1}
    assert list(moves.bodies()) == [json.dumps([DAY])]
    assert report.to_json() == {
        "period": "2026/09/02",
        "outcome": "merged",
        "files": 2,
        "count": {"in": 3, "out": 3, "rejected": 0, "duplicates": 0},
    }


def test_the_manifest_tells_sizes() -> None:
    """The manifest has the size and the record count of each source and of the merged file."""
    lake = new_lake()
    plant(lake, f"{DAY}/a.avro", 1, 2)
    merge(lake)
    document = json.loads(lake.open("manifests/registration/2026/09/02.json").read())
    for entry in (document["merged"], *document["sources"]):
        assert entry["size"] == lake.head(entry["key"]).size
        assert entry["records"] == 2


@pytest.mark.parametrize("payload", [DAILY, {"type": "monthly"}, {"inputPrefix": "2026/09"}])
def test_nothing_there_is_nothing_done(payload: Any) -> None:
    """An empty folder, markers of folders aside, is left as it is, and the report says so."""
    lake, moves = MarkedStore(SteppedClock(NOW)), queue()
    report = merge(lake, payload, moves)
    assert (report.details["outcome"], report.counts["in"]) == ("nothing there", 0)
    assert (keys(lake), moves.depth()) == ([], 0)


def test_a_second_run_finds_nothing_new() -> None:
    """Merging again changes no object; the move is asked for while there is something to move."""
    lake, moves = new_lake(), queue()
    plant(lake, f"{DAY}/a.avro", 1)
    merge(lake, DAILY, moves)
    once = contents(lake)
    report = merge(lake, DAILY, moves)
    assert (report.details["outcome"], contents(lake)) == ("nothing new", once)
    assert set(moves.bodies()) == {json.dumps([DAY])}
    lake.delete([f"{DAY}/a.avro"])
    asked = moves.depth()
    merge(lake, DAILY, moves)
    assert moves.depth() == asked


@given(st.lists(st.lists(st.lists(st.integers(1, 9), max_size=3), max_size=3), max_size=4))
def test_the_multiset_of_records_is_kept(rounds: list[list[list[int]]]) -> None:
    """However many files arrive between merges, each record is there as often as it arrived."""
    lake, arrived = new_lake(), Counter[str]()
    for number, files in enumerate(rounds):
        for place, numbers in enumerate(files):
            plant(lake, f"{DAY}/{number}-{place}.avro", *numbers)
            arrived.update(f"g{fan}" for fan in numbers)
        assert not merge(lake).imbalances
    if any(rounds):
        assert fans_in(lake, f"{DAY}/merged") == arrived
        assert sum(manifest(lake, "2026/09/02").values()) == arrived.total()
    else:
        assert not keys(lake)


def test_late_files_join_the_merged_file() -> None:
    """A file that arrives after a merge is added, whether the others were moved or not."""
    lake = new_lake()
    plant(lake, f"{DAY}/a.avro", 1)
    merge(lake)
    lake.delete([f"{DAY}/a.avro"])
    plant(lake, f"{DAY}/b.avro", 2)
    merge(lake)
    assert fans_in(lake, f"{DAY}/merged") == Counter(["g1", "g2"])
    assert manifest(lake, "2026/09/02") == {f"{DAY}/a.avro": 1, f"{DAY}/b.avro": 1}


@pytest.mark.parametrize("described", [False, True])
def test_a_merged_file_of_somebody_else_is_kept(described: bool) -> None:
    """A merged file that does not say what it contains is a source like the others."""
    lake = new_lake()
    plant(lake, f"{DAY}/merged", 1, 2)
    if described:
        merge(lake)
    plant(lake, f"{DAY}/a.avro", 3)
    assert merge(lake).counts == {"in": 3, "out": 3, "rejected": 0, "duplicates": 0}
    assert fans_in(lake, f"{DAY}/merged") == Counter(["g1", "g2", "g3"])
    assert merge(lake).details["outcome"] == "nothing new"


@pytest.mark.parametrize(
    "strange",
    [
        b"",
        b"not avro",
        CODEC.encode("scoring", []),
        CODEC.encode("registration", fans(1)).replace(b"optInSms", b"optInFax"),
    ],
)
@pytest.mark.parametrize("merged_before", [False, True])
def test_a_strange_file_is_refused_and_nothing_touched(strange: bytes, merged_before: bool) -> None:
    """A file that cannot be merged stops the merge by name; every object stays as it was."""
    lake, moves = new_lake(), queue()
    plant(lake, f"{DAY}/a.avro", 1)
    if merged_before:
        merge(lake)
    lake.put(f"{DAY}/strange.avro", strange)
    before = contents(lake)
    with pytest.raises(BadInput, match=f"^{DAY}/strange.avro: "):
        merge(lake, DAILY, moves)
    assert contents(lake) == before


def test_a_result_over_the_limit_is_refused() -> None:
    """A merged file may have as many bytes as the limit, and not one more."""
    lake, moves = new_lake(), queue()
    plant(lake, f"{DAY}/a.avro", *range(500))
    before = contents(lake)
    unbounded = new_lake()
    plant(unbounded, f"{DAY}/a.avro", *range(500))
    merge(unbounded)
    size = unbounded.head(f"{DAY}/merged").size
    with pytest.raises(BadInput, match="more than"):
        merge(lake, DAILY, moves, max_bytes=size - 1)
    assert (contents(lake), moves.depth()) == (before, 0)
    merge(lake, DAILY, moves, max_bytes=size)
    assert contents(lake) == contents(unbounded)


def test_only_one_of_two_merges_at_once_wins() -> None:
    """A merge that was overtaken changes nothing and is tried again."""
    lake = new_lake()
    plant(lake, f"{DAY}/a.avro", 1)

    class Overtaken(BlockMerge):
        def merge(self, *arguments: Any) -> Any:
            plant(lake, f"{DAY}/b.avro", 2)
            merge(lake)
            return super().merge(*arguments)

    with pytest.raises(RetryLater, match="another run merged"):
        merge(lake, engine=Overtaken(lake=lake))
    assert fans_in(lake, f"{DAY}/merged") == Counter(["g1", "g2"])
    assert merge(lake).details["outcome"] == "nothing new"


def test_an_engine_that_loses_a_record_is_found_out() -> None:
    """Unless the records add up there is no manifest, and so nothing can be moved."""
    lake, moves = new_lake(), queue()
    plant(lake, f"{DAY}/a.avro", 1, 2)
    plant(lake, f"{DAY}/b.avro", 3)

    class Losing(BlockMerge):
        def merge(self, kind: Any, sources: Any, metadata: Any) -> Any:
            return super().merge(kind, sources[:1] * 2, metadata)

    for engine in (Losing(lake=lake), None):
        with pytest.raises(Fatal, match="not as many records"):
            merge(lake, DAILY, moves, engine=engine)
    assert not keys(lake, "manifests/")
    assert moves.depth() == 0


@pytest.mark.parametrize(
    ("now", "payload", "period"),
    [
        (datetime(2026, 9, 3, 10, tzinfo=UTC), {"type": "daily"}, "2026/09/02"),
        (datetime(2026, 1, 2, 9, tzinfo=UTC), {"type": "monthly"}, "2025/12"),
        (NOW, {"inputPrefix": "avro/registration/2026/02"}, "2026/02"),
        (NOW, {"inputPrefix": "2026/02/28", "type": None}, "2026/02/28"),
    ],
)
def test_the_event_names_the_period(now: datetime, payload: Any, period: str) -> None:
    """Schedules mean yesterday and last month; a call names any day or month."""
    assert merge(new_lake(), payload, now=now).details["period"] == period


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "yearly"},
        {"inputPrefix": 7},
        {"inputPrefix": ""},
        {"inputPrefix": "../2026"},
        {"inputPrefix": "2026/02/30"},
        {"inputPrefix": "avro/scoring/2026/09"},
    ],
)
def test_an_event_without_a_period_is_refused(payload: Any) -> None:
    """Nothing is merged unless the event says what."""
    with pytest.raises(BadInput):
        merge(new_lake(), payload)
