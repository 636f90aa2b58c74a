"""Transfers of S3 objects: uploads and copies in parts, and downloads that resume."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from io import BufferedReader, RawIOBase
from itertools import chain, islice
from typing import Any, BinaryIO, Final, TypeVar
from uuid import uuid4

import attrs
from botocore.exceptions import BotoCoreError, FlexibleChecksumError
from urllib3.exceptions import HTTPError

from campaign_workers.adapters.aws.concurrency import map_concurrent
from campaign_workers.adapters.aws.errors import translate_errors
from campaign_workers.adapters.aws.s3.bucket import (
    Bucket,
    quote_etag,
    unquote_etag,
    upload_id_metadata,
)
from campaign_workers.domain.errors import CampaignError, RetryLater
from campaign_workers.ports.object_store import ObjectInfo

PART_BYTES: Final = 8 * 1024 * 1024
"""S3 requires at least 5 MiB and accepts at most 10,000 parts."""
CONCURRENT_PARTS: Final = 4
COPY_THRESHOLD_BYTES: Final = 5 * 1024**3
"""The largest object that S3 copies in one request."""
COPY_PART_BYTES: Final = 1024**3
MAX_RESUMES: Final = 5
"""How often a download that makes no progress is resumed."""

_PART_FIELDS: Final = ("ETag", "ChecksumCRC32")
_PROGRESS_BYTES: Final = 1024 * 1024
_BUFFER_BYTES: Final = 256 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
_Item = TypeVar("_Item")


def precondition_headers(*, if_absent: bool, if_match: str | None) -> dict[str, str]:
    """Return the preconditions of a put as parameters of S3."""
    headers = {"IfNoneMatch": "*"} if if_absent else {}
    return headers if if_match is None else headers | {"IfMatch": quote_etag(if_match)}


@attrs.frozen(kw_only=True)
class Upload:
    """The upload of one object; `upload_id` in its metadata proves who wrote it."""

    bucket: Bucket
    key: str
    preconditions: Mapping[str, str] = attrs.field(factory=dict)
    upload_id: str = attrs.field(factory=lambda: uuid4().hex)

    def send(self, body: bytes | Iterable[bytes], *, part_bytes: int) -> tuple[Any, int]:
        """Write `body` and return S3's response and the size.

        A small body is sent in one request. A larger one is sent in parts, of which only a few are
        in memory at a time.

        Raises:
            Conflict: a precondition failed.
            CampaignError: any other error, see `translate_errors`.
        """
        sizes: list[int] = []
        parts = _record_sizes(split_parts(body, part_bytes), sizes)
        ahead = list(islice(parts, 2))
        if len(ahead) < 2:
            response = self._send_whole(*ahead)
        else:
            response = self.send_parts(self._send_part, chain(_drain(ahead), parts))
        return response, sum(sizes)

    def send_parts(
        self, send: Callable[[dict[str, Any], _Item], Any], items: Iterable[_Item]
    ) -> Any:
        """Write an object whose parts `send` uploads, one for each item; abort if any fails.

        Args:
            send: uploads one part; gets the parameters that address the part, and the item.
            items: what the parts are made of, in order.

        Raises:
            Conflict: a precondition failed.
            CampaignError: any other error, see `translate_errors`.
        """
        multipart_id = self.bucket.call(
            "create_multipart_upload",
            Key=self.key,
            ChecksumAlgorithm="CRC32",
            Metadata=upload_id_metadata(self.upload_id),
        )["UploadId"]

        def send_numbered(numbered: tuple[int, _Item]) -> dict[str, Any]:
            number, item = numbered
            part = {"Key": self.key, "UploadId": multipart_id, "PartNumber": number}
            response = send(part, item)
            return {"PartNumber": number} | {n: response[n] for n in _PART_FIELDS if n in response}

        try:
            numbered = enumerate(items, 1)
            parts = list(map_concurrent(send_numbered, numbered, max_workers=CONCURRENT_PARTS))
            return self._write(
                "complete_multipart_upload", UploadId=multipart_id, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            # S3 charges for the parts of an unfinished upload until it is aborted.
            with suppress(CampaignError):
                self.bucket.call("abort_multipart_upload", Key=self.key, UploadId=multipart_id)
            raise

    def _send_whole(self, content: bytes = b"") -> Any:
        digest = b64encode(hashlib.sha256(content).digest()).decode()
        metadata = upload_id_metadata(self.upload_id)
        return self._write("put_object", Body=content, ChecksumSHA256=digest, Metadata=metadata)

    def _send_part(self, part: dict[str, Any], content: bytes) -> Any:
        return self.bucket.call("upload_part", Body=content, ChecksumAlgorithm="CRC32", **part)

    def _write(self, operation: str, **params: Any) -> Any:
        return self.bucket.write(
            operation, self.key, upload_id=self.upload_id, **params, **self.preconditions
        )


def split_parts(body: bytes | Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield `body` in parts of `size` bytes, the last one smaller; none if it is empty."""
    if isinstance(body, bytes):
        yield from (body[start : start + size] for start in range(0, len(body), size))
        return
    buffer = bytearray()
    for chunk in body:
        buffer += chunk
        while len(buffer) >= size:
            with memoryview(buffer) as view:
                part = bytes(view[:size])
            del buffer[:size]
            yield part
    if buffer:
        yield bytes(buffer)


def _drain(parts: list[bytes]) -> Iterator[bytes]:
    """Yield each part and drop it from the list, so that its memory can be freed."""
    while parts:
        yield parts.pop(0)


def _record_sizes(parts: Iterator[bytes], sizes: list[int]) -> Iterator[bytes]:
    for part in parts:
        sizes.append(len(part))
        yield part


def copy(
    bucket: Bucket, source: ObjectInfo, target: str, *, threshold_bytes: int, part_bytes: int
) -> None:
    """Copy exactly the version `source` inside S3, in parts if it exceeds `threshold_bytes`.

    Raises:
        NotFound: the source does not exist.
        Conflict: the source has been replaced.
        CampaignError: any other error, see `translate_errors`.
    """
    version: dict[str, Any] = {
        "CopySource": {"Bucket": bucket.name, "Key": source.key},
        "CopySourceIfMatch": quote_etag(source.etag),
    }
    if source.size <= threshold_bytes:
        bucket.call("copy_object", Key=target, ChecksumAlgorithm="SHA256", **version)
        return

    def copy_part(part: dict[str, Any], start: int) -> Any:
        end = min(start + part_bytes, source.size)
        span = f"bytes={start}-{end - 1}"
        response = bucket.call("upload_part_copy", CopySourceRange=span, **version, **part)
        return response["CopyPartResult"]

    Upload(bucket=bucket, key=target).send_parts(copy_part, range(0, source.size, part_bytes))


def open_download(
    bucket: Bucket, key: str, *, etag: str | None, start: int, length: int | None
) -> BinaryIO:
    """Open the bytes of an object from `start`, at most `length` of them.

    Raises:
        CampaignError: see `Bucket.get`.
    """
    end = None if length is None else start + length
    response = bucket.get(key, etag=etag, start=start, end=end)
    return BufferedReader(_Download(bucket, key, response, start), _BUFFER_BYTES)


class _Download(RawIOBase):
    """The bytes of one version; resumes where a connection broke, and never ends early."""

    def __init__(self, bucket: Bucket, key: str, response: Any | None, start: int) -> None:
        super().__init__()
        self._bucket, self._key, self._response = bucket, key, response
        self._position = self._broke_at = start
        self._end: int = start + (response["ContentLength"] if response else 0)
        self._resumes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while wanted := min(len(buffer), self._end - self._position):
            if data := self._read_or_resume(wanted):
                buffer[: len(data)] = data
                self._position += len(data)
                return len(data)
        self._finish()
        return 0

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(_CHUNK_BYTES) or b"", b""))

    def close(self) -> None:
        if self._response:
            self._response["Body"].close()
        super().close()

    def _read_or_resume(self, wanted: int) -> bytes:
        """Return some of the next bytes, or none if the connection broke and was reopened."""
        try:
            data: bytes = self._response["Body"].read(wanted) if self._response else b""
        except (BotoCoreError, HTTPError, OSError) as error:
            self._resume(type(error).__name__)
            return b""
        if not data:
            self._resume("ended early")
        return data

    def _resume(self, reason: str) -> None:
        if self._position - self._broke_at >= _PROGRESS_BYTES:
            self._resumes = 0
        self._resumes += 1
        self._broke_at = self._position
        if self._resumes > MAX_RESUMES:
            raise RetryLater(f"s3: {self._bucket.name}/{self._key}: cannot be read ({reason})")
        assert self._response is not None
        self._response["Body"].close()
        self._response = self._bucket.get(
            self._key,
            etag=unquote_etag(self._response["ETag"]),
            start=self._position,
            end=self._end,
        )

    def _finish(self) -> None:
        """Read past the last byte, which makes the SDK compare the checksum."""
        if self._response and self._position == self._end:
            with translate_errors("s3", f"{self._bucket.name}/{self._key}"):
                try:
                    self._response["Body"].read(1)
                except FlexibleChecksumError:
                    raise
                except (BotoCoreError, HTTPError, OSError):
                    return  # every byte has arrived, so a broken connection does no harm
