"""Objects as streams that go on where a connection broke."""

from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO, Final

from botocore.exceptions import BotoCoreError, FlexibleChecksumError
from urllib3.exceptions import HTTPError

from campaign_workers.adapters.aws.errors import translate_errors
from campaign_workers.adapters.aws.s3.bucket import Bucket, unquoted
from campaign_workers.domain.errors import RetryLater

RESUMPTIONS: Final = 5
"""How often a stream that gets nowhere is resumed."""

_PROGRESS_BYTES: Final = 1024 * 1024
_BUFFER_BYTES: Final = 256 * 1024
_CHUNK_BYTES: Final = 1024 * 1024


def opened(
    bucket: Bucket, key: str, *, etag: str | None, start: int, length: int | None
) -> BinaryIO:
    """The bytes of an object from `start`, at most `length` of them.

    Raises:
        CampaignError: as `Bucket.get` says.
    """
    end = None if length is None else start + length
    answer = bucket.get(key, etag=etag, start=start, end=end)
    return BufferedReader(_Download(bucket, key, answer, start), _BUFFER_BYTES)


class _Download(RawIOBase):
    """The bytes of one version, every one of them or an error."""

    def __init__(self, bucket: Bucket, key: str, answer: Any | None, start: int) -> None:
        super().__init__()
        self._bucket, self._key, self._answer = bucket, key, answer
        self._position = self._broke_at = start
        self._end: int = start + (answer["ContentLength"] if answer else 0)
        self._tries = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while wanted := min(len(buffer), self._end - self._position):
            if data := self._received(wanted):
                buffer[: len(data)] = data
                self._position += len(data)
                return len(data)
        self._finish()
        return 0

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(_CHUNK_BYTES) or b"", b""))

    def close(self) -> None:
        if self._answer:
            self._answer["Body"].close()
        super().close()

    def _received(self, wanted: int) -> bytes:
        """Some of the next bytes; none if the connection broke and was made anew."""
        try:
            data: bytes = self._answer["Body"].read(wanted) if self._answer else b""
        except (BotoCoreError, HTTPError, OSError) as error:
            self._resume(type(error).__name__)
            return b""
        if not data:
            self._resume("ended early")
        return data

    def _resume(self, reason: str) -> None:
        if self._position - self._broke_at >= _PROGRESS_BYTES:
            self._tries = 0
        self._tries += 1
        self._broke_at = self._position
        if self._tries > RESUMPTIONS:
            raise RetryLater(f"s3: {self._bucket.name}/{self._key}: cannot be read ({reason})")
        assert self._answer is not None
        self._answer["Body"].close()
        self._answer = self._bucket.get(
            self._key,
            etag=unquoted(self._answer["ETag"]),
            start=self._position,
            end=self._end,
        )

    def _finish(self) -> None:
        """Let the SDK compare the checksum, which it does behind the last byte."""
        if self._answer and self._position == self._end:
            with translate_errors("s3", f"{self._bucket.name}/{self._key}"):
                try:
                    self._answer["Body"].read(1)
                except FlexibleChecksumError:
                    raise
                except (BotoCoreError, HTTPError, OSError):
                    return  # every byte is there; how the connection ends does not matter
