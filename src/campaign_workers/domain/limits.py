"""What buckets, streams, queues and state machines take; every adapter refuses the same."""

import hashlib
import re
from typing import Final

from campaign_workers.domain.errors import BadInput, RejectRecord

MAX_KEY_BYTES: Final = 1024
MAX_PARTITION_KEY: Final = 256
MAX_RECORD_BYTES: Final = 1024 * 1024
MAX_MESSAGE_BYTES: Final = 256 * 1024

_NOT_IN_MESSAGES: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold, and SQS therefore does not take."""

_EXECUTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")


def checked_key(key: str) -> str:
    """`key` itself, if a bucket takes it.

    Raises:
        BadInput: it is empty, too long, no UTF-8, or has an empty, `.` or `..` segment.
    """
    if not 0 < _bytes(key) <= MAX_KEY_BYTES or not {"", ".", ".."}.isdisjoint(key.split("/")):
        raise BadInput(
            "a key that no bucket takes", field="key", remedy="name folders and a file, without .."
        )
    return key


def checked_record(partition_key: str, data: bytes) -> tuple[str, bytes]:
    """The record itself, if a stream takes it.

    Raises:
        RejectRecord: the key is empty or too long, or the record is over 1 MiB.
    """
    if not 0 < len(partition_key) <= MAX_PARTITION_KEY or not _bytes(partition_key):
        raise RejectRecord("empty, or over 256 characters", field="partition key")
    if len(data) + _bytes(partition_key) > MAX_RECORD_BYTES:
        raise RejectRecord("over 1 MiB", field="record")
    return partition_key, data


def checked_message(body: str) -> str:
    """The message itself, if a queue takes it.

    Raises:
        RejectRecord: it is empty, over 256 KiB, or has control characters.
    """
    if not 0 < _bytes(body) <= MAX_MESSAGE_BYTES:
        raise RejectRecord("empty, or over 256 KiB", field="message")
    if _NOT_IN_MESSAGES.search(body):
        raise RejectRecord("a control character", field="message")
    return body


def checked_execution_name(name: str) -> str:
    """The name itself, if a state machine takes it for an execution.

    Raises:
        BadInput: it is not 1 to 80 letters, digits, `-` and `_`.
    """
    if not _EXECUTION_NAME.fullmatch(name):
        raise BadInput("not a name for an execution", field="name")
    return name


def shard_number(partition_key: str, shards: int) -> int:
    """The shard of a key: its MD5 falls into one of `shards` equal ranges, as Kinesis has it."""
    digest = hashlib.md5(partition_key.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest) * shards >> 128


def _bytes(text: str) -> int:
    """Length in UTF-8; 0 for what has no UTF-8."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return 0
