"""Writing objects: small ones at once, larger ones in parts.

Copies within a bucket that S3 makes by itself.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice
from typing import Any, Final, TypeVar
from uuid import uuid4

import attrs

from campaign_workers.adapters.aws.concurrency import map_concurrent
from campaign_workers.adapters.aws.s3.bucket import Bucket, marked, quoted
from campaign_workers.domain.errors import CampaignError
from campaign_workers.ports.object_store import ObjectInfo

PART_BYTES: Final = 8 * 1024 * 1024
"""S3 wants 5 MiB at least, and takes 10,000 parts."""
PARTS_AT_ONCE: Final = 4

_ABOUT_PARTS: Final = ("ETag", "ChecksumCRC32")
_Item = TypeVar("_Item")


def conditions(*, if_absent: bool, if_match: str | None) -> dict[str, str]:
    """Preconditions of a put, as S3 takes them."""
    fresh = {"IfNoneMatch": "*"} if if_absent else {}
    return fresh if if_match is None else fresh | {"IfMatch": quoted(if_match)}


@attrs.frozen(kw_only=True)
class Upload:
    """One object that is being written, marked so that it is known again."""

    bucket: Bucket
    key: str
    conditions: Mapping[str, str] = attrs.field(factory=dict)
    mark: str = attrs.field(factory=lambda: uuid4().hex)

    def send(self, body: bytes | Iterable[bytes], *, part_bytes: int) -> tuple[Any, int]:
        """Write `body`; gives what S3 answers, and the size. Memory is that of a few parts.

        Raises:
            Conflict: a precondition failed.
            CampaignError: as `translate_errors` says.
        """
        sizes: list[int] = []
        parts = _counted(in_parts(body, part_bytes), sizes)
        ahead = list(islice(parts, 2))
        if len(ahead) < 2:
            answer = self._at_once(*ahead)
        else:
            answer = self.in_parts(self._part, chain(_given_away(ahead), parts))
        return answer, sum(sizes)

    def in_parts(self, send: Callable[[dict[str, Any], _Item], Any], items: Iterable[_Item]) -> Any:
        """Write what `send` makes of each item, given the place of its part; all of it or nothing.

        Raises:
            Conflict: a precondition failed.
            CampaignError: as `translate_errors` says.
        """
        upload = self.bucket.call(
            "create_multipart_upload",
            Key=self.key,
            ChecksumAlgorithm="CRC32",
            Metadata=marked(self.mark),
        )["UploadId"]

        def sent(numbered: tuple[int, _Item]) -> dict[str, Any]:
            number, item = numbered
            place = {"Key": self.key, "UploadId": upload, "PartNumber": number}
            answer = send(place, item)
            return {"PartNumber": number} | {n: answer[n] for n in _ABOUT_PARTS if n in answer}

        try:
            parts = list(map_concurrent(sent, enumerate(items, 1), at_once=PARTS_AT_ONCE))
            return self._written(
                "complete_multipart_upload", UploadId=upload, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            # Parts of an upload that nobody ends are paid for.
            with suppress(CampaignError):
                self.bucket.call("abort_multipart_upload", Key=self.key, UploadId=upload)
            raise

    def _at_once(self, content: bytes = b"") -> Any:
        digest = b64encode(hashlib.sha256(content).digest()).decode()
        return self._written(
            "put_object", Body=content, ChecksumSHA256=digest, Metadata=marked(self.mark)
        )

    def _part(self, place: dict[str, Any], content: bytes) -> Any:
        return self.bucket.call("upload_part", Body=content, ChecksumAlgorithm="CRC32", **place)

    def _written(self, operation: str, **which: Any) -> Any:
        return self.bucket.write(operation, self.key, mark=self.mark, **which, **self.conditions)


def in_parts(body: bytes | Iterable[bytes], size: int) -> Iterator[bytes]:
    """The bytes of `body` in parts of `size`, the last one smaller; none if there are none."""
    if isinstance(body, bytes):
        yield from (body[start : start + size] for start in range(0, len(body), size))
        return
    gathered = bytearray()
    for chunk in body:
        gathered += chunk
        while len(gathered) >= size:
            with memoryview(gathered) as view:
                part = bytes(view[:size])
            del gathered[:size]
            yield part
    if gathered:
        yield bytes(gathered)


def _given_away(parts: list[bytes]) -> Iterator[bytes]:
    """Each part once; it is not held any longer."""
    while parts:
        yield parts.pop(0)


def _counted(parts: Iterator[bytes], sizes: list[int]) -> Iterator[bytes]:
    for part in parts:
        sizes.append(len(part))
        yield part


COPY_AT_ONCE_BYTES: Final = 5 * 1024**3
"""The largest object that S3 copies in one request."""
COPY_PART_BYTES: Final = 1024**3


def copy(
    bucket: Bucket, source: ObjectInfo, target: str, *, at_once_bytes: int, part_bytes: int
) -> None:
    """Copy the very version `source`.

    Raises:
        NotFound: there is no source.
        Conflict: the source is another version by now.
        CampaignError: as `translate_errors` says.
    """
    version: dict[str, Any] = {
        "CopySource": {"Bucket": bucket.name, "Key": source.key},
        "CopySourceIfMatch": quoted(source.etag),
    }
    if source.size <= at_once_bytes:
        bucket.call("copy_object", Key=target, ChecksumAlgorithm="SHA256", **version)
        return

    def part(place: dict[str, Any], start: int) -> Any:
        end = min(start + part_bytes, source.size)
        span = f"bytes={start}-{end - 1}"
        answer = bucket.call("upload_part_copy", CopySourceRange=span, **version, **place)
        return answer["CopyPartResult"]

    Upload(bucket=bucket, key=target).in_parts(part, range(0, source.size, part_bytes))
