"""Deleting objects, a thousand at a time."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from campaign_workers.adapters.aws.bucket import Bucket
from campaign_workers.adapters.aws.failures import failed

BATCH: Final = 1000

_GONE: Final = ("NoSuchKey", "NoSuchVersion")
_NOT_IN_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What a list of keys cannot hold."""


def delete(bucket: Bucket, keys: Iterable[str]) -> None:
    """Delete objects; those that are not there are no error.

    Raises:
        CampaignError: as `translated` says; some may be deleted.
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
        raise failed(
            "s3",
            f"{bucket.name}/{first['Key']} {others}: not deleted",
            operation="DeleteObjects",
            code=first["Code"],
        )


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(keys)
    while batch := list(islice(remaining, BATCH)):
        yield batch
