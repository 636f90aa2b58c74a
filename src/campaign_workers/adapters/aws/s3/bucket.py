"""A bucket as S3 shows it, with its errors translated."""

from typing import Any, Final

import attrs
from botocore.exceptions import ClientError

from campaign_workers.adapters.aws.errors import error_code, error_for_code, translate_errors
from campaign_workers.domain.errors import Conflict, NotFound

_NO_SUCH_BUCKET: Final = ("404", "NoSuchBucket")
_MARK: Final = "put"
"""The metadata that says by which put an object was written."""


@attrs.define
class Bucket:
    """Calls about one bucket; answers are those of the SDK."""

    client: Any = attrs.field(repr=False)
    name: str
    _is_known: bool = attrs.field(default=False, init=False)

    def call(self, operation: str, **which: Any) -> Any:
        """What S3 answers to `operation`.

        Raises:
            CampaignError: as `translate_errors` says.
        """
        with translate_errors("s3", f"{self.name}/{which.get('Key', '')}"):
            return getattr(self.client, operation)(Bucket=self.name, **which)

    def head(self, key: str, **which: Any) -> Any:
        """What S3 says about an object.

        Raises:
            NotFound: there is no such object; without the bucket it is another error.
            CampaignError: as `translate_errors` says.
        """
        try:
            return self.call("head_object", Key=key, **which)
        except NotFound:
            self._require()
            raise

    def get(self, key: str, *, etag: str | None, start: int, end: int | None) -> Any | None:
        """An object from `start` to before `end`, or None if it ends before `start`.

        Raises:
            CampaignError: as `translate_errors` says.
        """
        which: dict[str, Any] = {} if etag is None else {"IfMatch": quoted(etag)}
        if start or end is not None:
            which["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        with translate_errors("s3", f"{self.name}/{key}"):
            try:
                return self.client.get_object(Bucket=self.name, Key=key, **which)
            except ClientError as error:
                if error_code(error) == "InvalidRange":
                    return None
                raise

    def write(self, operation: str, key: str, *, mark: str, **which: Any) -> Any:
        """What S3 answers to a request that makes the object marked with `mark`.

        The SDK sends a request again whose answer was lost: what the first one wrote then fails
        the precondition of the second, or its upload is no more. The mark tells that it is ours.

        Raises:
            Conflict: a precondition failed.
            CampaignError: as `translate_errors` says.
        """
        with translate_errors("s3", f"{self.name}/{key}"):
            try:
                return getattr(self.client, operation)(Bucket=self.name, Key=key, **which)
            except ClientError as error:
                if _was_sent_again(error) and (ours := self._marked(key, mark)):
                    return ours
                if error_code(error) == "NoSuchKey" and "IfMatch" in which:
                    raise Conflict(f"{key}: not there any more") from None
                raise

    def _marked(self, key: str, mark: str) -> Any | None:
        try:
            found = self.client.head_object(Bucket=self.name, Key=key)
        except ClientError:
            return None
        return found if found["Metadata"].get(_MARK) == mark else None

    def _require(self) -> None:
        """An answer to HEAD has no room to say whether the object or its bucket is not there."""
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


def marked(mark: str) -> dict[str, str]:
    """The metadata of an object with this mark."""
    return {_MARK: mark}


def quoted(etag: str) -> str:
    """An etag as HTTP wants it; notifications give it without quotes, and so do we."""
    return f'"{unquoted(etag)}"'


def unquoted(etag: str) -> str:
    """An etag as an `ObjectInfo` has it."""
    return etag.strip('"')


def _was_sent_again(error: ClientError) -> bool:
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))
