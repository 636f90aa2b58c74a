"""What brings Ministack's Kinesis event sources nearer to AWS's.

Ministack calls the function of every source one after the other, and tries a failing batch for
ever. Here each shard of a source is read by a thread of its own, as on AWS, with the source's
settings for attempts, halving, partial reports, age and a destination for what is given up.
"""

import threading
import time
from contextvars import copy_context
from typing import Any, Final

import attrs
from ministack.core.arn import parse_arn
from ministack.core.responses import _request_account_id, _request_region
from ministack.services import kinesis, lambda_svc

from tests.servers.aws_destinations import send
from tests.servers.aws_kinesis_events import event_record, failed_batch

PAUSE_SECONDS: Final = 0.1
"""Before a second attempt; it doubles with each further one."""
LONGEST_PAUSE_SECONDS: Final = 2.0
WINDOW_PACE: Final = 0.05
"""How long a second of a batching window lasts here."""

_busy: set[tuple[str, str]] = set()
"""Sources and shards whose batch is at work."""


def apply() -> None:
    """Make all the differences."""
    lambda_svc._poll_kinesis = poll


def poll() -> bool:
    """Start what there is to do; whether there was any."""
    started = [_poll_source(*found) for found in lambda_svc._iter_all_esms()]
    return any(started)


def _poll_source(account: str, region: str, source: Any) -> bool:
    arn = parse_arn(source["EventSourceArn"])
    if arn.service != "kinesis" or not source.get("Enabled", True):
        return False
    _request_account_id.set(account)
    _request_region.set(region)
    name = arn.resource.partition("/")[2]
    stream = kinesis._streams.get_scoped(arn.account_id, arn.region, name)
    func, _ = lambda_svc._get_func_record_for_qualifier(
        source["FunctionName"], source.get("Qualifier")
    )
    if not stream or stream["StreamStatus"] != "ACTIVE" or func is None:
        return False
    shards = list(stream["shards"].items())
    started = [_poll_shard(source, func, shard, held) for shard, held in shards]
    return any(started)


def _poll_shard(source: Any, func: Any, shard: str, held: Any) -> bool:
    positions = _positions(source)
    if shard not in positions:
        latest = source.get("StartingPosition") == "LATEST"
        positions[shard] = len(held["records"]) if latest else 0
    place = (source["UUID"], shard)
    batch = _next_batch(source, positions, shard, held["records"])
    if place in _busy or not batch:
        return False
    _busy.add(place)

    def work() -> None:
        try:
            _Delivery(source, func, shard).run(batch)
            positions[shard] += len(batch)
            del positions[f"{shard}/end"]
        finally:
            _busy.discard(place)
            lambda_svc._esm_wake.set()

    threading.Thread(target=copy_context().run, args=(work,), daemon=True).start()
    return True


def _positions(source: Any) -> Any:
    known = lambda_svc._kinesis_positions
    if source["UUID"] not in known:
        known[source["UUID"]] = {}
    return known[source["UUID"]]


def _next_batch(source: Any, positions: Any, shard: str, records: Any) -> Any:
    """The records of the next call; a batch that a restart interrupted comes again as it was."""
    start = positions[shard]
    end = positions.get(f"{shard}/end", start + source.get("BatchSize", 100))
    batch = records[start:end]
    window = (source.get("MaximumBatchingWindowInSeconds") or 0) * WINDOW_PACE
    full = len(batch) >= source.get("BatchSize", 100) or f"{shard}/end" in positions
    if not batch or (not full and _age_seconds(batch) < window):
        return []
    positions[f"{shard}/end"] = start + len(batch)
    return batch


def _age_seconds(batch: Any) -> float:
    return float(time.time() - batch[0]["ApproximateArrivalTimestamp"])


@attrs.define
class _Delivery:
    """Hands records of a shard to a function until it has taken them or they are given up."""

    source: Any
    func: Any
    shard: str

    def run(self, batch: Any) -> None:
        """Deliver `batch`; parts of it as the source's settings say when the function fails."""
        arn = self.source["EventSourceArn"]
        records = [event_record(record, arn, self.shard) for record in batch]
        wanted = lambda_svc._apply_filter_criteria(records, self.source)
        todo = [(wanted, 0)] if wanted else []
        while todo:
            part, failed = todo.pop(0)
            rest, throttled = self._call(part)
            if rest:
                todo[:0] = self._again(part, rest, failed + (not throttled))

    def _call(self, records: Any) -> tuple[Any, bool]:
        """What is left to deliver, and whether there was no room to run."""
        result = lambda_svc._execute_function(self.func, {"Records": records})
        if result.get("error"):
            return records, bool(result.get("throttle"))
        if "ReportBatchItemFailures" not in (self.source.get("FunctionResponseTypes") or ()):
            return [], False
        reported = (result.get("body") or {}).get("batchItemFailures") or []
        numbers = [record["kinesis"]["sequenceNumber"] for record in records]
        failed = {failure["itemIdentifier"] for failure in reported}
        if not failed.issubset(numbers):
            return records, False
        return (records[min(map(numbers.index, failed)) :] if failed else []), False

    def _again(self, part: Any, rest: Any, failed: int) -> Any:
        whole = len(rest) == len(part)
        if whole and len(rest) > 1 and self.source.get("BisectBatchOnFunctionError") and failed:
            middle = len(rest) // 2
            # A split does not use up a retry.
            return [(rest[:middle], failed - 1), (rest[middle:], failed - 1)]
        if condition := self._reason_to_give_up(rest, failed):
            self._give_up(rest, failed, condition)
            return []
        time.sleep(min(PAUSE_SECONDS * 2**failed, LONGEST_PAUSE_SECONDS))
        return [(rest, failed)]

    def _reason_to_give_up(self, records: Any, failed: int) -> str | None:
        retries = self.source.get("MaximumRetryAttempts")
        if retries is not None and 0 <= retries < failed:
            return "RetryAttemptsExhausted"
        limit = self.source.get("MaximumRecordAgeInSeconds") or -1
        age = time.time() - records[0]["kinesis"]["approximateArrivalTimestamp"]
        return "MaximumRecordAgeExceeded" if 0 < limit < age else None

    def _give_up(self, records: Any, failed: int, condition: str) -> None:
        settings = self.source.get("DestinationConfig") or {}
        if target := (settings.get("OnFailure") or {}).get("Destination"):
            send(target, failed_batch(records, self.func, condition, failed))
