"""What a folder does that a bucket does not."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from campaign_workers.adapters.local.folder import Folder
from campaign_workers.adapters.local.object_store import FolderObjectStore
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.errors import Conflict, Fatal, NotFound

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


@pytest.fixture
def store(folder: Path) -> FolderObjectStore:
    return FolderObjectStore(folder, SteppedClock(NOON))


def keys(store: FolderObjectStore) -> list[str]:
    return [info.key for info in store.list("")]


def test_an_etag_is_true_though_nothing_else_tells_the_versions_apart(
    store: FolderObjectStore,
) -> None:
    """Versions of one size and one moment, whose files use each other's inodes again."""
    for number in range(200):
        content = b"%04d" % number
        store.put("k", content)
        assert store.head("k").etag == hashlib.md5(content).hexdigest()


def test_an_etag_is_true_whoever_wrote_last(folder: Path) -> None:
    """Two stores over one folder do not remember each other's versions wrongly."""
    clock = SteppedClock(NOON)
    stores = (FolderObjectStore(folder, clock), FolderObjectStore(folder, clock))
    for number in range(100):
        content = b"%04d" % number
        stores[number % 3 % 2].put("k", content)
        expected = hashlib.md5(content).hexdigest()
        assert [store.head("k").etag for store in stores] == [expected, expected]


def test_a_file_edited_by_hand_has_another_etag(folder: Path, store: FolderObjectStore) -> None:
    """What an operator writes into the folder is what the bucket holds."""
    before = store.put("lists/emails.txt", b"a@b.example")
    (folder / "lists/emails.txt").write_bytes(b"c@d.example")
    assert store.head("lists/emails.txt").etag == hashlib.md5(b"c@d.example").hexdigest()
    with pytest.raises(Conflict):
        store.open("lists/emails.txt", etag=before.etag)


def test_a_remembered_etag_is_the_files(folder: Path, store: FolderObjectStore) -> None:
    """A file that has not changed for a while is read once, one that changed again."""
    store.put("k", b"one")
    settle(folder / "k")
    assert store.head("k").etag == store.head("k").etag == hashlib.md5(b"one").hexdigest()
    with (folder / "k").open("r+b") as edited:
        edited.write(b"two")
    assert store.head("k").etag == hashlib.md5(b"two").hexdigest()
    store.put("k", b"six")
    assert store.head("k").etag == hashlib.md5(b"six").hexdigest()


def settle(path: Path) -> None:
    """Wait until the file's change is not of this moment any more."""
    time.sleep(0.15)
    assert path.exists()


def test_the_time_of_an_object_is_the_clocks_to_the_microsecond(
    folder: Path, store: FolderObjectStore
) -> None:
    """Another store reads the very time that the writer's clock had."""
    assert store.put("k", b"").modified == NOON
    assert FolderObjectStore(folder, SteppedClock(NOON + timedelta(1))).head("k").modified == NOON


def test_stores_over_one_folder_never_write_into_one_file(folder: Path) -> None:
    """Two writers at the same time each leave their own bytes."""
    clock = SteppedClock(NOON)
    together = threading.Barrier(2)

    def body(letter: bytes) -> Iterator[bytes]:
        for _ in range(20):
            together.wait()
            yield letter * 1000

    def write(name: str) -> None:
        FolderObjectStore(folder, clock).put(name, body(name.encode()))

    writers = [threading.Thread(target=write, args=(name,)) for name in "pq"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (folder / "p").read_bytes() == b"p" * 20_000
    assert (folder / "q").read_bytes() == b"q" * 20_000


def test_what_a_put_returns_is_what_it_wrote(store: FolderObjectStore) -> None:
    """Somebody who writes right after does not lend it an etag."""
    seen: list[str] = []
    store.on_created(lambda info: seen.append(info.etag))

    def overwrite() -> Iterator[bytes]:
        yield b"first"
        store.put("k", b"second")

    assert store.put("k", overwrite()).etag == hashlib.md5(b"first").hexdigest()
    assert seen == [hashlib.md5(b"second").hexdigest(), hashlib.md5(b"first").hexdigest()]


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from campaign_workers.adapters.local.folder import Folder
from campaign_workers.adapters.local.object_store import FolderObjectStore
from campaign_workers.adapters.system.clocks import SteppedClock

def body():
    yield b"half"
    os.kill(os.getpid(), signal.SIGKILL)
    yield b"other half"

FolderObjectStore(Path(sys.argv[1]), SteppedClock(datetime.now(UTC))).put("k", body())
"""


def test_a_killed_writer_leaves_nothing(folder: Path, store: FolderObjectStore) -> None:
    """The object keeps its version, and the next store removes the half-written file."""
    store.put("k", b"before")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert keys(store) == ["k"]
    assert (folder / "k").read_bytes() == b"before"
    assert temporary_files(folder)
    FolderObjectStore(folder, SteppedClock(NOON))
    assert not temporary_files(folder)


def test_a_body_that_fails_leaves_no_file(folder: Path, store: FolderObjectStore) -> None:
    """Nor does a put that is refused or that succeeds."""

    def body() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    store.put("k", b"")
    with pytest.raises(ZeroDivisionError):
        store.put("k", body())
    with pytest.raises(Conflict):
        store.put("k", b"", if_absent=True)
    assert not temporary_files(folder)


def test_nobody_writes_between_another_ones_look_and_write(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slow the disk is, of eight stores that write what must be absent one wins."""
    place = Folder.move_into_place

    def slowly(self: Folder, unfinished: Path, key: str) -> None:
        time.sleep(0.02)
        place(self, unfinished, key)

    monkeypatch.setattr(Folder, "move_into_place", slowly)
    clock = SteppedClock(NOON)

    def wins(number: int) -> bool:
        try:
            FolderObjectStore(folder, clock).put("k", b"%d" % number, if_absent=True)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(wins, range(8))) == 1


def test_a_new_store_leaves_alone_what_is_being_written(
    folder: Path, store: FolderObjectStore
) -> None:
    """Only files that nobody writes any more are removed."""

    def body() -> Iterator[bytes]:
        FolderObjectStore(folder, SteppedClock(NOON))
        yield b"all of it"

    store.put("k", body())
    assert (folder / "k").read_bytes() == b"all of it"


def temporary_files(folder: Path) -> list[str]:
    return [path.name for path in (folder / ".bucket").iterdir() if path.name != "lock"]


@pytest.mark.parametrize(
    "prefix", ["../", "a/../", "./", "/", "//", "a//", ".bucket/", "\0/", "x" * 300 + "/"]
)
def test_no_prefix_leads_out_of_the_folder(store: FolderObjectStore, prefix: str) -> None:
    """A prefix that no key has lists nothing."""
    store.put("a/b", b"")
    assert list(store.list(prefix)) == []


def test_links_are_not_followed(folder: Path, store: FolderObjectStore, tmp_path: Path) -> None:
    """Neither reading, listing, nor writing leaves the folder by a link."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (folder / "file").symlink_to(tmp_path / "outside" / "secret")
    (folder / "way").symlink_to(tmp_path / "outside")
    assert keys(store) == []
    assert list(store.list("way/")) == []
    with pytest.raises(NotFound):
        store.open("file")
    for attempt in (store.head, store.checksum, store.open, lambda key: store.put(key, b"")):
        with pytest.raises(Fatal, match="contains a symbolic link"):
            attempt("way/secret")
    store.put("file", b"an object of its own")
    assert (tmp_path / "outside" / "secret").read_bytes() == b"secret"


@pytest.mark.parametrize("key", ["n" * 256, "f/" + "é" * 128, ".bucket/lock", "a\0b"])
def test_what_a_folder_cannot_hold_is_refused_by_every_method(
    store: FolderObjectStore, key: str
) -> None:
    """A bucket takes these keys; a folder says that it does not."""
    for attempt in (
        store.head,
        store.open,
        store.checksum,
        lambda key: store.put(key, b""),
        lambda key: store.copy(key, "k"),
        lambda key: store.delete([key]),
    ):
        with pytest.raises(Fatal):
            attempt(key)


def test_an_object_cannot_be_another_ones_folder(store: FolderObjectStore) -> None:
    """A bucket holds `a` and `a/b`; a folder says that it cannot, and stays as it was."""
    store.put("a", b"")
    store.put("d/x", b"")
    for key in ("a/b", "d"):
        with pytest.raises(Fatal, match="cannot be above or below"):
            store.put(key, b"")
        with pytest.raises(NotFound):
            store.head(key)
        store.delete([key])
    assert keys(store) == ["a", "d/x"]


def test_deleting_the_last_object_of_a_folder_makes_room_for_its_name(
    store: FolderObjectStore,
) -> None:
    """Folders are no objects: an empty one is gone."""
    store.put("a/b/c", b"")
    store.delete(["a/b/c"])
    store.put("a", b"")
    assert keys(store) == ["a"]


def test_a_file_whose_name_is_no_text_is_no_object(folder: Path, store: FolderObjectStore) -> None:
    """What was put into the folder by other means does not break a listing."""
    (folder / os.fsdecode(b"caf\xe9")).write_bytes(b"")
    store.put("k", b"")
    assert keys(store) == ["k"]


def test_an_open_object_stays_the_version_it_was(store: FolderObjectStore) -> None:
    """Neither a later put nor a delete reaches a reader."""
    store.put("k", b"old" * 100_000)
    with store.open("k") as reading:
        assert reading.read(3) == b"old"
        store.put("k", b"new")
        store.delete(["k"])
        assert reading.read() == b"old" * 99_999
