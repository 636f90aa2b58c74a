"""What every zip writer promises."""

import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from io import BytesIO
from typing import Final

import pytest

from campaign_workers.domain.errors import BadInput
from campaign_workers.ports.zip_writer import ZipWriter
from campaign_workers.testing.contracts._base import Contract

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


class Failed(Exception):
    """What a member of the test raises."""


def archive(
    zips: ZipWriter,
    members: Iterable[tuple[str, Iterable[bytes]]],
    modified: datetime = MODIFIED,
) -> bytes:
    """A whole archive."""
    return b"".join(zips.stream(members, modified=modified))


def noise(mebibytes: int, taken: list[int]) -> Iterator[bytes]:
    """Bytes that cannot be compressed, 64 KiB at a time; notes how many were taken."""
    for number in range(mebibytes * 16):
        chunk = b"".join(sha256(b"%d/%d" % (number, n)).digest() for n in range(2048))
        taken[0] += len(chunk)
        yield chunk


class ZipWriterContract(Contract):
    """Fixtures: `zips`."""

    def test_every_reader_finds_the_members(self, zips: ZipWriter) -> None:
        """In their order, under their names, whole, and of the time that was given."""
        with zipfile.ZipFile(BytesIO(archive(zips, iter(MEMBERS)))) as found:
            assert found.testzip() is None
            assert found.namelist() == [name for name, _ in MEMBERS]
            for name, content in MEMBERS:
                assert found.read(name) == b"".join(content)
                assert found.getinfo(name).date_time == (2026, 5, 4, 12, 30, 58)

    def test_an_archive_of_nothing_is_an_archive(self, zips: ZipWriter) -> None:
        """Without a member it is empty, and no error."""
        with zipfile.ZipFile(BytesIO(archive(zips, []))) as found:
            assert found.namelist() == []

    def test_the_same_input_is_the_same_bytes(self, zips: ZipWriter) -> None:
        """A retry writes the archive anew, byte for byte, wherever it runs."""
        elsewhere = MODIFIED.astimezone(timezone(timedelta(hours=-7)))
        assert archive(zips, MEMBERS) == archive(zips, iter(MEMBERS))
        assert archive(zips, MEMBERS) == archive(zips, MEMBERS, elsewhere)

    @pytest.mark.parametrize("name", REFUSED, ids=ascii)
    def test_no_name_leads_out_of_the_archive(self, zips: ZipWriter, name: str) -> None:
        """A name that could be written elsewhere on any system is refused."""
        with pytest.raises(BadInput):
            archive(zips, [("good", [b"x"]), (name, [b"x"])])

    def test_a_name_comes_once(self, zips: ZipWriter) -> None:
        """Which of two members a reader would take, nobody knows."""
        with pytest.raises(BadInput):
            archive(zips, [("a", [b"1"]), ("b", [b"2"]), ("a", [b"1"])])

    def test_a_member_that_fails_ends_the_archive(self, zips: ZipWriter) -> None:
        """Its own error comes out, and what was sent by then is no archive."""

        def failing() -> Iterator[bytes]:
            yield b"half"
            raise Failed

        sent = bytearray()

        def send() -> None:
            for chunk in zips.stream([("a", [b"1"]), ("b", failing())], modified=MODIFIED):
                sent.extend(chunk)

        with pytest.raises(Failed):
            send()
        assert not zipfile.is_zipfile(BytesIO(bytes(sent)))

    def test_an_archive_is_sent_while_it_is_made(self, zips: ZipWriter) -> None:
        """What was taken and not yet sent stays small, whatever the size of the members."""
        taken, sent, ahead = [0], 0, 0
        members = ((f"member-{number}", noise(3, taken)) for number in range(2))
        for chunk in zips.stream(members, modified=MODIFIED):
            sent += len(chunk)
            ahead = max(ahead, taken[0] - sent)
        assert sent > taken[0] == 6 * MEBIBYTE
        assert ahead < MEBIBYTE
