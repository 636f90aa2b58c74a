"""Deleting objects, a thousand at a time.

A bucket of S3.
"""

import hashlib
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO, Final

import attrs

from campaign_workers.adapters.aws.errors import error_for_code, translate_errors
from campaign_workers.adapters.aws.s3 import downloads, uploads
from campaign_workers.adapters.aws.s3.bucket import Bucket, quoted, unquoted
from campaign_workers.domain.errors import CampaignError, Conflict, NotFound, RetryLater
from campaign_workers.domain.storage.layout import validate_object_key
from campaign_workers.ports.object_store import ObjectInfo

BATCH: Final = 1000

_GONE: Final = ("NoSuchKey", "NoSuchVersion")
_NOT_IN_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What a list of keys cannot hold."""


def delete(bucket: Bucket, keys: Iterable[str]) -> None:
    """Delete objects; those that are not there are no error.

    Raises:
        CampaignError: as `translate_errors` says; some may be deleted.
    """
    for batch in _batches(keys):
        together = [key for key in batch if not _NOT_IN_XML.search(key)]
        if together:
            _delete_together(bucket, together)
        for key in batch:
            if _NOT_IN_XML.search(key):
                bucket.call("delete_object", Key=key)


def _delete_together(bucket: Bucket, keys: list[str]) -> None:
    doomed = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
    answer = bucket.call("delete_objects", Delete=doomed)
    errors = [entry for entry in answer.get("Errors", ()) if entry["Code"] not in _GONE]
    if errors:
        first = errors[0]
        others = f"and {len(errors) - 1} more of {len(keys)}"
        raise error_for_code(
            "s3",
            f"{bucket.name}/{first['Key']} {others}: not deleted",
            operation="DeleteObjects",
            code=first["Code"],
        )


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(keys)
    while batch := list(islice(remaining, BATCH)):
        yield batch


_CHUNK_BYTES: Final = 1024 * 1024
_ATTEMPTS: Final = 5
"""How often something is tried again that somebody else keeps changing."""


@attrs.frozen
class S3ObjectStore:
    """The bucket `bucket`, asked through a low-level `client`; threads may share it."""

    client: Any = attrs.field(repr=False)
    bucket: str
    part_bytes: int = attrs.field(default=uploads.PART_BYTES, kw_only=True)
    copy_at_once_bytes: int = attrs.field(default=uploads.COPY_AT_ONCE_BYTES, kw_only=True)
    copy_part_bytes: int = attrs.field(default=uploads.COPY_PART_BYTES, kw_only=True)
    page_keys: int = attrs.field(default=1000, kw_only=True)
    _s3: Bucket = attrs.field(init=False, repr=False, eq=False)

    @_s3.default
    def _bucket(self) -> Bucket:
        return Bucket(self.client, self.bucket)

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        return _info(key, self._s3.head(validate_object_key(key)))

    def open(
        self, key: str, *, etag: str | None = None, start: int = 0, length: int | None = None
    ) -> BinaryIO:
        """See `ObjectStore.open`; a stream goes on where its connection broke.

        Reading raises `RetryLater` if it cannot go on, and `Conflict` or `NotFound` if the version
        is gone by then.
        """
        validate_object_key(key)
        if length == 0:
            self._s3.head(key, **({} if etag is None else {"IfMatch": quoted(etag)}))
            return BytesIO()
        return downloads.opened(self._s3, key, etag=etag, start=start, length=length)

    def put(
        self,
        key: str,
        body: bytes | Iterable[bytes],
        *,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> ObjectInfo:
        """See `ObjectStore.put`; parts of a large body are sent side by side."""
        upload = uploads.Upload(
            bucket=self._s3,
            key=validate_object_key(key),
            conditions=uploads.conditions(if_absent=if_absent, if_match=if_match),
        )
        answer, size = upload.send(body, part_bytes=self.part_bytes)
        return self._written(key, answer, size)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        which = {"StartAfter": after} if after else {}
        with translate_errors("s3", f"{self.bucket}/{prefix}"):
            for page in self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix, MaxKeys=self.page_keys, **which
            ):
                for entry in page.get("Contents", ()):
                    yield _listed(entry)

    def copy(self, source: str, target: str) -> ObjectInfo:
        """See `ObjectStore.copy`; the bytes do not leave S3."""
        validate_object_key(target)
        for _ in range(_ATTEMPTS):
            version = self.head(source)
            if source == target:
                return version
            try:
                return self._copied(version, target)
            except Conflict:
                continue
        raise RetryLater(f"{source}: others keep changing it")

    def checksum(self, key: str) -> str:
        """See `ObjectStore.checksum`; what S3 stored with the object, else read and computed."""
        validate_object_key(key)
        for _ in range(_ATTEMPTS):
            try:
                return self._checksum(key)
            except Conflict:
                continue
        raise RetryLater(f"{key}: others keep changing it")

    def delete(self, keys: Iterable[str]) -> None:
        """See `ObjectStore.delete`."""
        delete(self._s3, map(validate_object_key, keys))

    def _copied(self, version: ObjectInfo, target: str) -> ObjectInfo:
        uploads.copy(
            self._s3,
            version,
            target,
            at_once_bytes=self.copy_at_once_bytes,
            part_bytes=self.copy_part_bytes,
        )
        if copy := self._found_equal(target, version):
            return copy
        raise RetryLater(f"{target}: not equal to {version.key}, which it was copied from")

    def _found_equal(self, key: str, version: ObjectInfo) -> ObjectInfo | None:
        """What lies under `key`, if it has the bytes of `version`."""
        try:
            found = self.head(key)
        except NotFound:
            return None
        if found.size != version.size:
            return None
        # Parts and encryption give equal bytes another etag.
        equal = found.etag == version.etag or (
            self._checksum(key, IfMatch=quoted(found.etag))
            == self._checksum(version.key, IfMatch=quoted(version.etag))
        )
        return found if equal else None

    def _checksum(self, key: str, **which: str) -> str:
        answer = self._s3.head(key, ChecksumMode="ENABLED", **which)
        if stored := _sha256(answer):
            return stored
        digest = hashlib.sha256()
        with self.open(key, etag=answer["ETag"]) as stream:
            for chunk in iter(lambda: stream.read(_CHUNK_BYTES), b""):
                digest.update(chunk)
        return digest.hexdigest()

    def _written(self, key: str, answer: Any, size: int) -> ObjectInfo:
        """What S3 says of the version just written; a put does not tell its time."""
        etag = unquoted(answer["ETag"])
        try:
            return _info(key, self._s3.head(key, IfMatch=quoted(etag)))
        except CampaignError:
            # It is written, whatever is wrong now: replaced already, or not to be read by us.
            sent = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
            moment = parsedate_to_datetime(sent)
            return ObjectInfo(key=key, size=size, etag=etag, modified=_to_the_second(moment))


def _info(key: str, answer: Any) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size=answer["ContentLength"],
        etag=unquoted(answer["ETag"]),
        modified=_to_the_second(answer["LastModified"]),
    )


def _listed(entry: Any) -> ObjectInfo:
    return ObjectInfo(
        key=entry["Key"],
        size=entry["Size"],
        etag=unquoted(entry["ETag"]),
        modified=_to_the_second(entry["LastModified"]),
    )


def _to_the_second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _sha256(answer: Any) -> str | None:
    """The SHA-256 of the whole object, in hex; that of parts' checksums is of no use."""
    stored: str | None = answer.get("ChecksumSHA256")
    if stored is None or answer.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    return None if "-" in stored else b64decode(stored).hex()
