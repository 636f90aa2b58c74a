"""OpenTelemetry spans: one per call of a worker, with a child span per call of its ports.

The environment variables of OpenTelemetry, such as `OTEL_EXPORTER_OTLP_ENDPOINT`, decide where
spans are sent. Spans contain no arguments and no error messages, because both may be personal.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final

import attrs
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

from campaign_workers import __version__
from campaign_workers.domain.running.reports import Report

SERVICE: Final = "campaign-workers"
FLUSH_MILLIS: Final = 2_000
"""How long an invocation waits for its spans to be exported."""

UNTRACED: Final = {"clock", "deadline", "metrics"}
"""Ports that are called very often and return at once."""

_ADAPTERS: Final = "campaign_workers.adapters."


def build_otlp_provider() -> TracerProvider:
    """Build a tracer provider that exports spans over OTLP in batches."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


@attrs.frozen
class Traces:
    """Wraps workers and their ports in spans."""

    _provider: TracerProvider = attrs.field(factory=build_otlp_provider)

    def instrument(self, name: str, worker: Any) -> Callable[[Any], Report]:
        """Return the worker with a span around each of its calls and each call of its ports."""
        tracer = self._provider.get_tracer(SERVICE, __version__)
        ports = {
            field.alias: _TracedPort(getattr(worker, field.name), field.name, tracer)
            for field in attrs.fields(type(worker))
            if _is_port(field.name, getattr(worker, field.name))
        }
        traced_worker = attrs.evolve(worker, **ports)

        def call(event: Any) -> Report:
            with _span(tracer, name, SpanKind.CONSUMER) as span:
                span.set_attribute("campaign_workers.worker", name)
                report: Report = traced_worker(event)
                for count, value in report.counts.items():
                    span.set_attribute(f"campaign_workers.count.{count}", value)
                return report

        return call

    def flush(self) -> None:
        """Export the collected spans before Lambda freezes the process."""
        self._provider.force_flush(FLUSH_MILLIS)


class _TracedPort:
    """An adapter with a span around each method call."""

    def __init__(self, adapter: Any, port: str, tracer: Tracer) -> None:
        self._adapter, self._port, self._tracer = adapter, port, tracer

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._adapter, name)
        if not callable(member):
            return member
        span = f"{self._port}.{name}"

        @wraps(member)
        def call(*args: Any, **kwargs: Any) -> Any:
            with _span(self._tracer, span, SpanKind.CLIENT):
                return member(*args, **kwargs)

        @wraps(member)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            with _span(self._tracer, span, SpanKind.CLIENT):
                return await member(*args, **kwargs)

        return call_async if inspect.iscoroutinefunction(member) else call


@contextmanager
def _span(tracer: Tracer, name: str, kind: SpanKind) -> Iterator[Span]:
    """Open a span that records only the class of an error."""
    with tracer.start_as_current_span(
        name, kind=kind, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


def _is_port(name: str, value: Any) -> bool:
    return name not in UNTRACED and type(value).__module__.startswith(_ADAPTERS)
