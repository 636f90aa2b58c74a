"""The `ObjectStore` port on S3: metadata, listing, copies, checksums and batched deletion."""

import hashlib
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO, Final

import attrs

from campaign_workers.adapters.aws.errors import error_for_code, translate_errors
from campaign_workers.adapters.aws.s3 import transfers
from campaign_workers.adapters.aws.s3.bucket import Bucket, quote_etag, unquote_etag
from campaign_workers.domain.errors import CampaignError, Conflict, NotFound, RetryLater
from campaign_workers.domain.storage.layout import validate_object_key
from campaign_workers.ports.object_store import ObjectInfo

DELETE_BATCH_SIZE: Final = 1000

_CHUNK_BYTES: Final = 1024 * 1024
_MAX_ATTEMPTS: Final = 5
"""How often an operation is repeated because another writer replaced the object meanwhile."""

_GONE: Final = ("NoSuchKey", "NoSuchVersion")
_NOT_IN_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot contain, and therefore no batched deletion."""


@attrs.frozen
class S3ObjectStore:
    """Serves `ObjectStore` with the bucket `bucket`; threads may share it."""

    client: Any = attrs.field(repr=False)
    bucket: str
    part_bytes: int = attrs.field(default=transfers.PART_BYTES, kw_only=True)
    copy_threshold_bytes: int = attrs.field(default=transfers.COPY_THRESHOLD_BYTES, kw_only=True)
    copy_part_bytes: int = attrs.field(default=transfers.COPY_PART_BYTES, kw_only=True)
    page_keys: int = attrs.field(default=1000, kw_only=True)
    _s3: Bucket = attrs.field(init=False, repr=False, eq=False)

    @_s3.default
    def _bucket(self) -> Bucket:
        return Bucket(self.client, self.bucket)

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        return _info_from_head(key, self._s3.head(validate_object_key(key)))

    def open(
        self, key: str, *, etag: str | None = None, start: int = 0, length: int | None = None
    ) -> BinaryIO:
        """See `ObjectStore.open`; the stream resumes where its connection broke.

        Reading raises `RetryLater` if the stream cannot resume, and `Conflict` or `NotFound` if the
        version has been replaced or deleted.
        """
        validate_object_key(key)
        if length == 0:
            self._s3.head(key, **({} if etag is None else {"IfMatch": quote_etag(etag)}))
            return BytesIO()
        return transfers.open_download(self._s3, key, etag=etag, start=start, length=length)

    def put(
        self,
        key: str,
        body: bytes | Iterable[bytes],
        *,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> ObjectInfo:
        """See `ObjectStore.put`; parts of a large body are sent concurrently."""
        upload = transfers.Upload(
            bucket=self._s3,
            key=validate_object_key(key),
            preconditions=transfers.precondition_headers(if_absent=if_absent, if_match=if_match),
        )
        response, size = upload.send(body, part_bytes=self.part_bytes)
        return self._describe_put(key, response, size)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        params = {"StartAfter": after} if after else {}
        with translate_errors("s3", f"{self.bucket}/{prefix}"):
            for page in self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix, MaxKeys=self.page_keys, **params
            ):
                for entry in page.get("Contents", ()):
                    yield _info_from_list(entry)

    def copy(self, source: str, target: str) -> ObjectInfo:
        """See `ObjectStore.copy`; S3 copies the bytes itself."""
        validate_object_key(target)
        for _ in range(_MAX_ATTEMPTS):
            version = self.head(source)
            if source == target:
                return version
            try:
                return self._copy(version, target)
            except Conflict:
                continue
        raise RetryLater(f"{source}: another writer keeps replacing it; retry")

    def checksum(self, key: str) -> str:
        """See `ObjectStore.checksum`; uses the checksum that S3 stores, or reads the object."""
        validate_object_key(key)
        for _ in range(_MAX_ATTEMPTS):
            try:
                return self._checksum(key)
            except Conflict:
                continue
        raise RetryLater(f"{key}: another writer keeps replacing it; retry")

    def delete(self, keys: Iterable[str]) -> None:
        """See `ObjectStore.delete`; sends 1,000 keys per request."""
        remaining = iter(keys)
        while batch := [validate_object_key(key) for key in islice(remaining, DELETE_BATCH_SIZE)]:
            self._delete_batch([key for key in batch if not _NOT_IN_XML.search(key)])
            for key in batch:
                if _NOT_IN_XML.search(key):
                    self._s3.call("delete_object", Key=key)

    def _delete_batch(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        request = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        response = self._s3.call("delete_objects", Delete=request)
        errors = [entry for entry in response.get("Errors", ()) if entry["Code"] not in _GONE]
        if errors:
            first = errors[0]
            others = f"and {len(errors) - 1} more of {len(keys)}"
            raise error_for_code(
                "s3",
                f"{self.bucket}/{first['Key']} {others}: not deleted",
                operation="DeleteObjects",
                code=first["Code"],
            )

    def _copy(self, version: ObjectInfo, target: str) -> ObjectInfo:
        transfers.copy(
            self._s3,
            version,
            target,
            threshold_bytes=self.copy_threshold_bytes,
            part_bytes=self.copy_part_bytes,
        )
        if copy := self._find_equal(target, version):
            return copy
        raise RetryLater(f"{target}: the copy differs from {version.key}; retry")

    def _find_equal(self, key: str, version: ObjectInfo) -> ObjectInfo | None:
        """Return the object under `key` if its content equals that of `version`."""
        try:
            info = self.head(key)
        except NotFound:
            return None
        if info.size != version.size:
            return None
        # Multipart uploads and encryption give equal bytes different etags.
        equal = info.etag == version.etag or (
            self._checksum(key, IfMatch=quote_etag(info.etag))
            == self._checksum(version.key, IfMatch=quote_etag(version.etag))
        )
        return info if equal else None

    def _checksum(self, key: str, **preconditions: str) -> str:
        response = self._s3.head(key, ChecksumMode="ENABLED", **preconditions)
        if stored := _stored_sha256(response):
            return stored
        digest = hashlib.sha256()
        with self.open(key, etag=response["ETag"]) as stream:
            for chunk in iter(lambda: stream.read(_CHUNK_BYTES), b""):
                digest.update(chunk)
        return digest.hexdigest()

    def _describe_put(self, key: str, response: Any, size: int) -> ObjectInfo:
        """Describe the version just written; the time needs a HEAD, a put does not return it."""
        etag = unquote_etag(response["ETag"])
        try:
            return _info_from_head(key, self._s3.head(key, IfMatch=quote_etag(etag)))
        except CampaignError:
            # The put succeeded; HEAD may fail if the object was replaced or reading is denied.
            date = parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
            return ObjectInfo(key=key, size=size, etag=etag, modified=_to_whole_second(date))


def _info_from_head(key: str, response: Any) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size=response["ContentLength"],
        etag=unquote_etag(response["ETag"]),
        modified=_to_whole_second(response["LastModified"]),
    )


def _info_from_list(entry: Any) -> ObjectInfo:
    return ObjectInfo(
        key=entry["Key"],
        size=entry["Size"],
        etag=unquote_etag(entry["ETag"]),
        modified=_to_whole_second(entry["LastModified"]),
    )


def _to_whole_second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _stored_sha256(response: Any) -> str | None:
    """Return the hex SHA-256 that S3 stores; None for the checksum of a multipart upload."""
    stored: str | None = response.get("ChecksumSHA256")
    if stored is None or response.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    return None if "-" in stored else b64decode(stored).hex()
