"""Contract of `ZipWriter`."""

import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from io import BytesIO
from typing import Final

import pytest

from campaign_workers.domain.errors import BadInput
from campaign_workers.ports.zip_writer import ZipWriter
from campaign_workers.testing.contracts._base import Contract, SourceError

MODIFIED: Final = datetime(2026, 5, 4, 12, 30, 58, tzinfo=UTC)
MEBIBYTE: Final = 1024 * 1024

MEMBERS: Final[tuple[tuple[str, tuple[bytes, ...]], ...]] = (
    ("masterCodes/nyc.csv", (b"code,email\r\n", b"", b"X1,a@b.example\r\n")),
    ("emails/Zürich 🎫.csv", (b"",)),
    ("empty", ()),
    ("audit.json", (b"{}" * 50_000,)),
)
REFUSED: Final = (
    "",
    "/etc/passwd",
    "../up",
    "a/../../up",
    "a/..",
    ".",
    "a//b",
    "folder/",
    "..\\up",
    "C:\\up",
    "C:up",
    "a\0b",
    "a\nb",
    "\ud800",
)


def archive(
    zips: ZipWriter,
    members: Iterable[tuple[str, Iterable[bytes]]],
    modified: datetime = MODIFIED,
) -> bytes:
    """Return a complete archive."""
    return b"".join(zips.stream(members, modified=modified))


def noise(mebibytes: int, taken: list[int]) -> Iterator[bytes]:
    """Yield incompressible bytes in chunks of 64 KiB, and count them in `taken`."""
    for number in range(mebibytes * 16):
        chunk = b"".join(sha256(b"%d/%d" % (number, n)).digest() for n in range(2048))
        taken[0] += len(chunk)
        yield chunk


class ZipWriterContract(Contract):
    """Fixtures: `zips`."""

    def test_members_are_readable(self, zips: ZipWriter) -> None:
        """Members have their order, names, content and the given time."""
        with zipfile.ZipFile(BytesIO(archive(zips, iter(MEMBERS)))) as found:
            assert found.testzip() is None
            assert found.namelist() == [name for name, _ in MEMBERS]
            for name, content in MEMBERS:
                assert found.read(name) == b"".join(content)
                assert found.getinfo(name).date_time == (2026, 5, 4, 12, 30, 58)

    def test_an_empty_archive_is_valid(self, zips: ZipWriter) -> None:
        """An archive without members is valid."""
        with zipfile.ZipFile(BytesIO(archive(zips, []))) as found:
            assert found.namelist() == []

    def test_archives_are_deterministic(self, zips: ZipWriter) -> None:
        """A retry produces the same bytes, on any machine and in any time zone."""
        elsewhere = MODIFIED.astimezone(timezone(timedelta(hours=-7)))
        assert archive(zips, MEMBERS) == archive(zips, iter(MEMBERS))
        assert archive(zips, MEMBERS) == archive(zips, MEMBERS, elsewhere)

    @pytest.mark.parametrize("name", REFUSED, ids=ascii)
    def test_names_cannot_leave_the_archive(self, zips: ZipWriter, name: str) -> None:
        """A name that any system could extract outside its folder is refused."""
        with pytest.raises(BadInput):
            archive(zips, [("good", [b"x"]), (name, [b"x"])])

    def test_duplicate_names_are_refused(self, zips: ZipWriter) -> None:
        """Readers differ in which of two members with the same name they use."""
        with pytest.raises(BadInput):
            archive(zips, [("a", [b"1"]), ("b", [b"2"]), ("a", [b"1"])])

    def test_a_failing_member_ends_the_archive(self, zips: ZipWriter) -> None:
        """The member's error is raised, and the output so far is not a valid archive."""

        def failing_member() -> Iterator[bytes]:
            yield b"half"
            raise SourceError

        sent = bytearray()

        def send() -> None:
            for chunk in zips.stream([("a", [b"1"]), ("b", failing_member())], modified=MODIFIED):
                sent.extend(chunk)

        with pytest.raises(SourceError):
            send()
        assert not zipfile.is_zipfile(BytesIO(bytes(sent)))

    def test_an_archive_is_streamed(self, zips: ZipWriter) -> None:
        """The amount of buffered data stays small, whatever the size of the members."""
        taken, sent, ahead = [0], 0, 0
        members = ((f"member-{number}", noise(3, taken)) for number in range(2))
        for chunk in zips.stream(members, modified=MODIFIED):
            sent += len(chunk)
            ahead = max(ahead, taken[0] - sent)
        assert sent > taken[0] == 6 * MEBIBYTE
        assert ahead < MEBIBYTE
