"""Calls to one S3 bucket, with the SDK's errors translated."""

from typing import Any, Final

import attrs
from botocore.exceptions import ClientError

from campaign_workers.adapters.aws.errors import error_code, error_for_code, translate_errors
from campaign_workers.domain.errors import Conflict, NotFound

_NO_SUCH_BUCKET: Final = ("404", "NoSuchBucket")
_UPLOAD_ID: Final = "put"
"""The metadata field with the id of the upload that wrote the object."""


@attrs.define
class Bucket:
    """One bucket; methods return the SDK's responses."""

    client: Any = attrs.field(repr=False)
    name: str
    _is_known: bool = attrs.field(default=False, init=False)

    def call(self, operation: str, **params: Any) -> Any:
        """Call `operation` on the bucket and return the response.

        Raises:
            CampaignError: see `translate_errors`.
        """
        with translate_errors("s3", f"{self.name}/{params.get('Key', '')}"):
            return getattr(self.client, operation)(Bucket=self.name, **params)

    def head(self, key: str, **params: Any) -> Any:
        """Return the metadata of an object.

        Raises:
            NotFound: the object does not exist.
            CampaignError: any other error, see `translate_errors`; `Fatal` for a missing bucket.
        """
        try:
            return self.call("head_object", Key=key, **params)
        except NotFound:
            self._require_bucket()
            raise

    def get(self, key: str, *, etag: str | None, start: int, end: int | None) -> Any | None:
        """Return bytes `start` to `end` (exclusive), or None if the object ends before `start`.

        Raises:
            CampaignError: see `translate_errors`.
        """
        params: dict[str, Any] = {} if etag is None else {"IfMatch": quote_etag(etag)}
        if start or end is not None:
            params["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        with translate_errors("s3", f"{self.name}/{key}"):
            try:
                return self.client.get_object(Bucket=self.name, Key=key, **params)
            except ClientError as error:
                if error_code(error) == "InvalidRange":
                    return None
                raise

    def write(self, operation: str, key: str, *, upload_id: str, **params: Any) -> Any:
        """Create an object that has `upload_id` in its metadata, and return the response.

        The SDK repeats a request whose response was lost. If the first request had succeeded, the
        second fails a precondition or finds its multipart upload gone. The upload id in the
        metadata then proves that the object is the one just written.

        Raises:
            Conflict: a precondition failed.
            CampaignError: any other error, see `translate_errors`.
        """
        with translate_errors("s3", f"{self.name}/{key}"):
            try:
                return getattr(self.client, operation)(Bucket=self.name, Key=key, **params)
            except ClientError as error:
                if _was_retried(error) and (written := self._head_if_ours(key, upload_id)):
                    return written
                if error_code(error) == "NoSuchKey" and "IfMatch" in params:
                    raise Conflict(f"{key}: precondition failed (object is missing)") from None
                raise

    def _head_if_ours(self, key: str, upload_id: str) -> Any | None:
        """Return the metadata of the object if this upload wrote it, else None."""
        try:
            response = self.client.head_object(Bucket=self.name, Key=key)
        except ClientError:
            return None
        return response if response["Metadata"].get(_UPLOAD_ID) == upload_id else None

    def _require_bucket(self) -> None:
        """Check that the bucket exists; a 404 to HEAD does not say what is missing."""
        if self._is_known:
            return
        with translate_errors("s3", self.name):
            try:
                self.client.head_bucket(Bucket=self.name)
            except ClientError as error:
                if error_code(error) in _NO_SUCH_BUCKET:
                    raise error_for_code(
                        "s3", self.name, operation="HeadBucket", code="NoSuchBucket"
                    ) from None
                raise
        self._is_known = True


def upload_id_metadata(upload_id: str) -> dict[str, str]:
    """Return the metadata that marks an object as written by an upload."""
    return {_UPLOAD_ID: upload_id}


def quote_etag(etag: str) -> str:
    """Return an etag with the quotes that HTTP requires."""
    return f'"{unquote_etag(etag)}"'


def unquote_etag(etag: str) -> str:
    """Return an etag without quotes, as in an `ObjectInfo` and in S3's notifications."""
    return etag.strip('"')


def _was_retried(error: ClientError) -> bool:
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))
