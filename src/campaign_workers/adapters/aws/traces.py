"""Spans of OpenTelemetry: one a call of a worker, and below it one a call of each of its ports.

Where spans go is said by the variables that OpenTelemetry defines, such as
`OTEL_EXPORTER_OTLP_ENDPOINT`. No argument and no text of an error is told: both may be personal.
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
"""How long an invocation waits for its spans to be taken."""

UNTRACED: Final = {"clock", "deadline", "metrics"}
"""Ports that are asked all the time, and answer at once."""

_ADAPTERS: Final = "campaign_workers.adapters."


def build_otlp_provider() -> TracerProvider:
    """What collects spans and hands them to the collector over OTLP."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


@attrs.frozen
class Traces:
    """Puts spans around workers and their ports."""

    _provider: TracerProvider = attrs.field(factory=build_otlp_provider)

    def instrument(self, name: str, worker: Any) -> Callable[[Any], Report]:
        """The worker, with a span around each of its calls and around those of its ports."""
        tracer = self._provider.get_tracer(SERVICE, __version__)
        ports = {
            field.alias: _TracedPort(getattr(worker, field.name), field.name, tracer)
            for field in attrs.fields(type(worker))
            if _is_port(field.name, getattr(worker, field.name))
        }
        watched = attrs.evolve(worker, **ports)

        def call(event: Any) -> Report:
            with _span(tracer, name, SpanKind.CONSUMER) as span:
                span.set_attribute("campaign_workers.worker", name)
                report: Report = watched(event)
                for count, value in report.counts.items():
                    span.set_attribute(f"campaign_workers.count.{count}", value)
                return report

        return call

    def flush(self) -> None:
        """Hand on what was collected, before Lambda freezes the process."""
        self._provider.force_flush(FLUSH_MILLIS)


class _TracedPort:
    """An adapter with a span around each call of a method."""

    def __init__(self, adapter: Any, port: str, tracer: Tracer) -> None:
        self._adapter, self._port, self._tracer = adapter, port, tracer

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)
        if not callable(found):
            return found
        span = f"{self._port}.{name}"

        @wraps(found)
        def called(*args: Any, **kwargs: Any) -> Any:
            with _span(self._tracer, span, SpanKind.CLIENT):
                return found(*args, **kwargs)

        @wraps(found)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with _span(self._tracer, span, SpanKind.CLIENT):
                return await found(*args, **kwargs)

        return awaited if inspect.iscoroutinefunction(found) else called


@contextmanager
def _span(tracer: Tracer, name: str, kind: SpanKind) -> Iterator[Span]:
    """A span that says of an error no more than its class."""
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
