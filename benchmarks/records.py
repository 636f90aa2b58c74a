"""Stream records of any number, and the bare calls of the libraries that read and key them."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from campaign_workers.domain.records.types import RECORD_TYPES
from campaign_workers.domain.running.events import StreamBatch, StreamRecord
from campaign_workers.domain.running.triggers import INPUT_STREAM
from campaign_workers.testing.builders import code_assignment, registration

ARRIVED: Final = datetime(2026, 9, 1, tzinfo=UTC)


def registrations(rows: int) -> Iterator[dict[str, Any]]:
    """Registrations as fans make them, no two alike."""
    for number in range(rows):
        yield registration(
            f"g-{number:08d}",
            memberId=f"m{number}",
            phone=f"+1212555{number % 10_000:04d}",
            firstName="María",
            lastName="O'Neil",
            locale="en-us",
            marketIds=["nyc", "lax", "chi"][: number % 4],
            phoneConfirmed="2026-08-31T23:59:00Z" if number % 3 else None,
            created="2026-09-01T00:00:00.123Z",
        )


def code_assignments(rows: int) -> Iterator[dict[str, Any]]:
    """Code assignments of a campaign, a fan and a code each."""
    for number in range(rows):
        yield code_assignment(f"g-{number:08d}", f"CODE{number:08d}", categoryId=4711)


def batches(
    records: Iterator[dict[str, Any]], size: int, stream: str = INPUT_STREAM
) -> list[StreamBatch]:
    """The records in batches of one shard, as a stream hands them out."""
    entries = [
        StreamRecord(
            sequence=f"{number:020d}",
            partition_key="key",
            data=json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode(),
            arrived=ARRIVED,
        )
        for number, record in enumerate(records)
    ]
    return [
        StreamBatch(stream=stream, shard="shard-0", records=tuple(entries[start : start + size]))
        for start in range(0, len(entries), size)
    ]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name twice")
    return content


decoded = json.JSONDecoder(object_pairs_hook=_unique).decode
"""Strict JSON by the standard library: no name twice."""
canonical = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode
"""Canonical JSON by the standard library, which such records allow."""


def keyed(data: bytes) -> tuple[dict[str, Any], str]:
    """A record that is read, trimmed and checked against its type, with its dedupe key."""
    raw = decoded(data.decode())
    record = {name: text.strip() if text.__class__ is str else text for name, text in raw.items()}
    for field in RECORD_TYPES[record["type"]].fields:
        if not isinstance(record.get(field.name), field.kind.python | None):
            raise TypeError(field.name)
    created = record.pop("created")
    key = hashlib.sha256(canonical(record).encode()).hexdigest()[:32]
    record["created"] = datetime.fromisoformat(created)
    return record, key
