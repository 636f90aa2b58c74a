"""moveMergedAvroFiles: what is merged goes to the archive, and nothing else goes anywhere."""

import json
from collections import Counter
from typing import Any

import pytest

from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.errors import BadInput, Fatal, RetryLater
from campaign_workers.domain.running.events import QueueMessage
from campaign_workers.domain.running.reports import Report
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from campaign_workers.workers.move_merged_avro_files import MoveMergedAvroFiles
from tests.lake_scenes import (
    CODEC,
    DAY,
    NOW,
    MarkedStore,
    contents,
    fans_in,
    keys,
    merge,
    new_lake,
    plant,
)

MONTH = "avro/registration/2026/09"
MANIFEST = "manifests/registration/2026/09/02.json"
ARCHIVE = "avro/archived/registration/2026/09"


def move(lake: Any, *prefixes: str, at_once: int = 4) -> Report:
    """Deliver one move message."""
    message = QueueMessage(message_id="1", body=json.dumps(prefixes or [DAY]))
    return MoveMergedAvroFiles(lake=lake, at_once=at_once)(message)


def merged_day(lake: MemoryObjectStore | None = None) -> MemoryObjectStore:
    """A day with two files, merged."""
    lake = lake or new_lake()
    plant(lake, f"{DAY}/a.avro", 1, 2)
    plant(lake, f"{DAY}/b.avro", 3)
    merge(lake, {"inputPrefix": "2026/09/02"})
    return lake


def test_merged_files_go_to_the_archive() -> None:
    """Every source is in the archive, byte for byte, and the merged file where it was."""
    lake = merged_day()
    before = contents(lake)
    report = move(lake)
    assert keys(lake, "avro/") == [f"{ARCHIVE}/02/a.avro", f"{ARCHIVE}/02/b.avro", f"{DAY}/merged"]
    for name in ("a.avro", "b.avro"):
        assert lake.open(f"{ARCHIVE}/02/{name}").read() == before[f"{DAY}/{name}"]
    assert report.counts == {"in": 2, "out": 2, "rejected": 0, "duplicates": 0}


def test_what_is_not_listed_stays() -> None:
    """A file that arrived after the merge, another day and folder markers are left alone."""
    lake = merged_day(MarkedStore(SteppedClock(NOW)))
    plant(lake, f"{DAY}/late.avro", 4)
    plant(lake, f"{MONTH}/03/a.avro", 5)
    move(lake)
    assert keys(lake, MONTH) == [
        f"{DAY}/late.avro",
        f"{DAY}/merged",
        f"{MONTH}/03/a.avro",
    ]


def test_a_second_delivery_finds_nothing_to_move() -> None:
    """A repeated message changes nothing and counts what was moved before."""
    lake = merged_day()
    move(lake)
    once = contents(lake)
    assert move(lake).counts == {"in": 2, "out": 0, "rejected": 0, "duplicates": 2}
    assert contents(lake) == once


def test_a_month_clears_its_days() -> None:
    """Merged files of days are deleted, their sources archived, the month's own file stays."""
    lake = merged_day()
    plant(lake, f"{DAY}/late.avro", 4)
    merge(lake, {"inputPrefix": "2026/09"})
    report = move(lake, MONTH)
    assert keys(lake, MONTH) == [f"{MONTH}/merged"]
    assert keys(lake, ARCHIVE) == [f"{ARCHIVE}/02/{name}.avro" for name in ("a", "b", "late")]
    assert fans_in(lake, f"{MONTH}/merged") == Counter(["g1", "g2", "g3", "g4"])
    assert report.counts == {"in": 4, "out": 4, "rejected": 0, "duplicates": 0}
    assert move(lake, DAY).counts["duplicates"] == 2


def test_another_version_than_the_merged_one_stays() -> None:
    """A file that was overwritten since the merge is not the merged version."""
    lake = merged_day()
    plant(lake, f"{DAY}/b.avro", 3, 4)
    report = move(lake)
    assert report.counts == {"in": 2, "out": 1, "rejected": 1, "duplicates": 0}
    assert keys(lake, DAY) == [f"{DAY}/b.avro", f"{DAY}/merged"]


def test_a_day_merged_again_survives_its_month() -> None:
    """A month deletes the merged file of a day only if that version is in it."""
    lake = merged_day()
    merge(lake, {"inputPrefix": "2026/09"})
    plant(lake, f"{DAY}/merged", 1, 2, 3, 4)
    move(lake, MONTH)
    assert f"{DAY}/merged" in keys(lake)
    merge(lake, {"inputPrefix": "2026/09"})
    move(lake, MONTH)
    assert keys(lake, MONTH) == [f"{MONTH}/merged"]
    assert set(fans_in(lake, f"{MONTH}/merged")) == {"g1", "g2", "g3", "g4"}


def test_a_foreign_merged_file_is_never_moved() -> None:
    """A merged file that became the base of ours is no file of its own any more."""
    lake = new_lake()
    plant(lake, f"{DAY}/merged", 1)
    plant(lake, f"{DAY}/a.avro", 2)
    merge(lake, {"inputPrefix": "2026/09/02"})
    assert move(lake).counts == {"in": 1, "out": 1, "rejected": 0, "duplicates": 0}
    assert fans_in(lake, f"{DAY}/merged") == Counter(["g1", "g2"])


@pytest.mark.parametrize(
    ("damage", "error", "why"),
    [
        (
            lambda lake: lake.delete(["manifests/registration/2026/09/02.json"]),
            Fatal,
            "no manifest",
        ),
        (lambda lake: lake.delete([f"{DAY}/merged"]), Fatal, "no merged file"),
        (lambda lake: plant(lake, f"{DAY}/merged", 9), RetryLater, "merged again"),
        (lambda lake: lake.put(MANIFEST, b"{}"), BadInput, "expected the manifest"),
    ],
)
def test_nothing_is_moved_on_doubt(damage: Any, error: type[Exception], why: str) -> None:
    """Without a manifest and the merged file that it describes, no source is touched."""
    lake = merged_day()
    damage(lake)
    before = contents(lake)
    with pytest.raises(error, match=why):
        move(lake)
    assert contents(lake) == before


class Miscopying(MemoryObjectStore):
    """A store whose copies lose their last byte, or keep their size and change it."""

    damage = staticmethod(lambda content: content[:-1])

    def copy(self, source: str, target: str) -> Any:
        return self.put(target, self.damage(self.open(source).read()))


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c[:-1] + b"?"])
def test_a_copy_that_differs_saves_its_source(damage: Any) -> None:
    """Nothing is deleted unless its copy has its size and its checksum."""
    lake = Miscopying(SteppedClock(NOW))
    lake.damage = damage
    plant(lake, f"{DAY}/a.avro", 1)
    merge(lake, {"inputPrefix": "2026/09/02"})
    with pytest.raises(RetryLater, match=r"a\.avro: copy verification failed"):
        move(lake)
    assert f"{DAY}/a.avro" in keys(lake)


@pytest.mark.parametrize("prefixes", [(DAY, MONTH), ("avro/scoring/2026/09/02",), ("..",)])
def test_a_message_names_one_folder_of_registrations(prefixes: tuple[str, ...]) -> None:
    """Other messages are refused before anything is read."""
    with pytest.raises(BadInput):
        move(merged_day(), *prefixes)


@pytest.mark.parametrize(("count", "at_once"), [(0, 1), (499, 8), (500, 8), (1100, 3)])
def test_any_number_of_files_is_moved(count: int, at_once: int) -> None:
    """Hundreds of files go as two do, however many copies are under way at a time."""
    lake = new_lake()
    body = CODEC.encode("registration", [])
    for number in range(count):
        lake.put(f"{DAY}/{number:04d}.avro", body)
    plant(lake, f"{DAY}/one.avro", 1)
    merge(lake, {"inputPrefix": "2026/09/02"})
    assert move(lake, at_once=at_once).counts["out"] == count + 1
    assert keys(lake, DAY) == [f"{DAY}/merged"]
    assert len(keys(lake, ARCHIVE)) == count + 1


@pytest.mark.parametrize("prefix", [DAY, MONTH])
def test_any_kill_is_survived(prefix: str) -> None:
    """Wherever a move dies, the next delivery ends as one clean run, and no file is lost."""

    def scene(port: Any) -> CrashCase:
        lake = merged_day()
        if prefix == MONTH:
            plant(lake, f"{DAY}/late.avro", 4)
            plant(lake, f"{MONTH}/05/c.avro", 5)
            merge(lake, {"inputPrefix": "2026/09"})
        return CrashCase(
            run=lambda: move(port(lake), prefix, at_once=1), snapshot=lambda: contents(lake)
        )

    assert assert_survives_every_kill(scene) >= 22
