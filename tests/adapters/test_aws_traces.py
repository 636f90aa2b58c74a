"""Spans around workers and their ports."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from campaign_workers.adapters.aws.traces import Traces
from campaign_workers.adapters.fakes.messages import FakeSmsService
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.container import Container
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.running.reports import Report
from campaign_workers.ports.streams import MessageQueue
from campaign_workers.settings import Settings

FAN, PHONE, EMAIL = "fan-1", "+14155550123", "ada@example.org"
SCORED = f"globalUserId\temail\tphone\tscore\tcampaignId\n{FAN}\t{EMAIL}\t{PHONE}\t0.5\tcmp1\n"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What was collected."""
    return InMemorySpanExporter()


@pytest.fixture
def traces(spans: InMemorySpanExporter) -> Iterator[Traces]:
    """Traces that go nowhere else."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    yield Traces(provider)
    provider.shutdown()


def told(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """The finished spans by name."""
    return {span.name: span for span in spans.get_finished_spans()}


def merge(traces: Traces, container: Container) -> Report:
    """Run a worker with spans."""
    worker = traces.instrument("mergeAvroFiles", container.build_worker("mergeAvroFiles"))
    return worker("2026/09/01")


def test_calls_of_a_worker_and_of_its_ports_are_spans(
    traces: Traces, spans: InMemorySpanExporter
) -> None:
    """Spans of port calls are children of the worker's span, which has its counts."""
    report = merge(traces, Container("memory"))
    found = told(spans)
    worker = found["mergeAvroFiles"]
    assert worker.attributes == {
        "campaign_workers.worker": "mergeAvroFiles",
        **{f"campaign_workers.count.{name}": value for name, value in report.counts.items()},
    }
    below = [span for name, span in found.items() if name.startswith("lake.")]
    assert below
    for span in below:
        assert span.parent is not None
        assert worker.context is not None
        assert span.parent.span_id == worker.context.span_id


def test_a_failure_is_recorded_by_its_class_alone(
    traces: Traces, spans: InMemorySpanExporter
) -> None:
    """No text of an error is in a span: it might quote a value."""
    container = Container("memory")
    lake = container.lake
    assert isinstance(lake, MemoryObjectStore)
    lake.fail_next(RetryLater(f"busy with {EMAIL}"))
    with pytest.raises(RetryLater):
        merge(traces, container)
    found = told(spans)["mergeAvroFiles"]
    assert found.status.status_code is StatusCode.ERROR
    assert found.attributes is not None
    assert found.attributes["error.type"] == "RetryLater"
    assert not any(span.events for span in spans.get_finished_spans())
    assert EMAIL not in str([span.to_json() for span in spans.get_finished_spans()])


def test_nothing_personal_is_in_a_span(traces: Traces, spans: InMemorySpanExporter) -> None:
    """Whatever a file holds, spans tell of calls and counts only."""
    container = Container("memory")
    container.scoring.put("scored/cmp1.1.txt", [SCORED.encode()])
    worker = traces.instrument("processScoredFiles", container.build_worker("processScoredFiles"))
    event = ObjectCreated(bucket="scoring", key="scored/cmp1.1.txt")
    with pytest.raises(Exception, match="campaign"):
        worker(event)
    everything = str([span.to_json() for span in spans.get_finished_spans()])
    assert "scoring.open" in everything
    assert not [value for value in (FAN, PHONE, EMAIL, "cmp1") if value in everything]


@attrs.frozen(kw_only=True)
class Asking:
    """A worker that asks ports in both ways."""

    sms: FakeSmsService
    emails: MessageQueue

    def __call__(self, event: object) -> Report:
        """Send nothing, and fail to ask what there is not."""
        asyncio.run(self.sms.send(event))  # type: ignore[arg-type]
        return Report(worker="w", counts={})


def test_coroutines_of_ports_are_spans_too(traces: Traces, spans: InMemorySpanExporter) -> None:
    """The span of a coroutine lasts until it is done, and fails as it fails."""
    embedded = Container("memory").embedded
    worker = Asking(sms=embedded.sms, emails=embedded.queues["emailQueue"])
    with pytest.raises(AttributeError):
        traces.instrument("asking", worker)(object())
    found = told(spans)
    assert found["sms.send"].status.status_code is StatusCode.ERROR
    assert found["asking"].status.status_code is StatusCode.ERROR


def test_spans_are_made_only_where_they_are_asked_for(tmp_path: Path) -> None:
    """Without the setting there is nothing around a worker; with it, there is."""
    assert Container("memory", settings=Settings(dir=tmp_path)).traces is None
    asked = Container("memory", settings=Settings(dir=tmp_path, traces=True))
    assert isinstance(asked.traces, Traces)
    assert asked.traces is asked.traces
