"""Copies within a bucket that S3 makes by itself."""

from typing import Any, Final

from campaign_workers.adapters.aws.bucket import Bucket, quoted
from campaign_workers.adapters.aws.uploads import Upload
from campaign_workers.ports.object_store import ObjectInfo

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
        CampaignError: as `translated` says.
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
