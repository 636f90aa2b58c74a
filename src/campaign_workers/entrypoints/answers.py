"""What a function answers: JSON, never larger than whoever asked can take."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import TRIGGERS, WorkflowTrigger

LARGEST: Final = 6 * 1024 * 1024 - 64 * 1024
"""Bytes that Lambda hands on, but for what wraps them."""
LARGEST_OF_A_STEP: Final = 256 * 1024 - 16 * 1024
"""Bytes that Step Functions hands on from step to step, with what else is in its state."""

_IN_WORKFLOWS: Final = {kind.worker for kind in TRIGGERS if isinstance(kind, WorkflowTrigger)}


def answer(worker: str, reports: Sequence[Report]) -> Any:
    """The report of a call; a list of reports if there were none, or several.

    What does not fit leaves out its details and says so: the counts are always told.
    """
    told = [report.to_json() for report in reports]
    if len(json.dumps(told)) > (LARGEST_OF_A_STEP if worker in _IN_WORKFLOWS else LARGEST):
        told = [{"count": dict(report.counts), "detailsLeftOut": True} for report in reports]
    return told[0] if len(told) == 1 else told


def answer_by_message(
    event: Mapping[str, Any], handle: Callable[[dict[str, Any]], list[Report]]
) -> Any:
    """Handle the messages of a queue one by one, and answer which of them failed.

    Only those come again. When all of them failed, so did the invocation; from the first failure
    on, a queue that keeps order has all that follow come again.

    Raises:
        Exception: what the first message failed with, if none succeeded.
    """
    from aws_lambda_powertools.utilities.batch import (
        BatchProcessor,
        EventType,
        SqsFifoPartialProcessor,
    )

    records = event["Records"]
    ordered = str(records[0].get("eventSourceARN")).endswith(".fifo")
    batch = SqsFifoPartialProcessor() if ordered else BatchProcessor(event_type=EventType.SQS)
    batch.raise_on_entire_batch_failure = False
    reports: list[Report] = []
    with batch(records, lambda record: reports.extend(handle({"Records": [record.raw_event]}))):
        batch.process()
    if batch.exceptions and not batch.success_messages:
        failure = batch.exceptions[0][1]
        assert failure is not None
        raise failure
    told = [report.to_json() for report in reports]
    one = told[0] if len(told) == len(records) == 1 else {"reports": told}
    return {**one, **batch.response()}
