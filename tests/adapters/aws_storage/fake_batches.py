"""A stream and a queue that take what a script says of each request, and no more than AWS does."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import attrs

REQUEST_RECORDS: Final = 500
REQUEST_BYTES: Final = 5 * 1024 * 1024
BATCH_MESSAGES: Final = 10
BATCH_BYTES: Final = 256 * 1024

Script = Iterable[Iterable[str]]
"""For each request, the error code of each entry, empty for none; beyond its end nothing fails."""


def _iterated(script: Script) -> Iterator[Iterable[str]]:
    return iter(script)


@attrs.define
class FakeKinesis:
    """The client of a stream; `repeats` says which requests the SDK sends twice."""

    script: Iterator[Iterable[str]] = attrs.field(default=(), converter=_iterated)
    repeats: frozenset[int] = frozenset()
    taken: list[tuple[str, bytes]] = attrs.field(factory=list)
    requests: list[list[tuple[str, bytes]]] = attrs.field(factory=list)

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> Any:  # noqa: N803
        """Take some, in the order in which they are given."""
        records = [(record["PartitionKey"], record["Data"]) for record in Records]
        assert 0 < len(records) <= REQUEST_RECORDS
        assert sum(len(key.encode()) + len(data) for key, data in records) <= REQUEST_BYTES
        self.requests.append(records)
        codes = self._next(len(records))
        if len(self.requests) - 1 in self.repeats:
            self._take(records, codes)
            codes = self._next(len(records))
        self._take(records, codes)
        return {
            "FailedRecordCount": sum(map(bool, codes)),
            "Records": [{"ErrorCode": c, "ErrorMessage": "no"} if c else {} for c in codes],
        }

    def _take(self, records: list[tuple[str, bytes]], codes: list[str]) -> None:
        self.taken += [record for record, code in zip(records, codes, strict=True) if not code]

    def _next(self, count: int) -> list[str]:
        return [*next(self.script, ()), *[""] * count][:count]


@attrs.define
class FakeSqs:
    """The client of a queue."""

    script: Iterator[Iterable[str]] = attrs.field(default=(), converter=_iterated)
    sender_fault: bool = False
    taken: list[str] = attrs.field(factory=list)
    requests: list[list[str]] = attrs.field(factory=list)
    urls_asked: int = 0

    def get_queue_url(self, *, QueueName: str) -> Any:  # noqa: N803
        """Where it is."""
        self.urls_asked += 1
        return {"QueueUrl": f"http://queues/{QueueName}"}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:  # noqa: N803
        """Take some."""
        assert QueueUrl == "http://queues/q"
        bodies = {entry["Id"]: entry["MessageBody"] for entry in Entries}
        assert 0 < len(bodies) == len(Entries) <= BATCH_MESSAGES
        assert sum(len(body.encode()) for body in bodies.values()) <= BATCH_BYTES
        self.requests.append([*bodies.values()])
        codes = dict(zip(bodies, [*next(self.script, ()), *[""] * 10], strict=False))
        self.taken += [body for name, body in bodies.items() if not codes[name]]
        # SQS gives the failed ones in no order.
        failed = [
            {"Id": name, "Code": code, "SenderFault": self.sender_fault}
            for name, code in reversed(codes.items())
            if code
        ]
        return {"Failed": failed} if failed else {}
