"""Figures in CloudWatch's format and the time that Lambda leaves keep their contracts."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.aws.cloudwatch import NAMESPACE, EmfMetrics
from campaign_workers.adapters.aws.lambda_deadline import LambdaDeadline
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.adapters.system.deadlines import CountdownDeadline
from campaign_workers.testing.contracts.deadline import DeadlineContract, Wait
from campaign_workers.testing.contracts.metrics import Counted, MetricsContract

Lines = Callable[[], list[dict[str, Any]]]


def read(line: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], list[float]]]:
    """The figures of a line as CloudWatch reads it: name, dimensions, values."""
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: "" if line[name] == "%" else unquote(line[name]) for name in names}
            for metric in directive["Metrics"]:
                values = line[metric["Name"]]
                yield metric["Name"], dimensions, values


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """What was printed since the last time."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


class TestEmfMetrics(MetricsContract):
    """`EmfMetrics`."""

    @pytest.fixture
    def metrics(self) -> EmfMetrics:
        return EmfMetrics()

    @pytest.fixture
    def counted(self, metrics: EmfMetrics, lines: Lines) -> Counted:
        def counted() -> Counter[tuple[str, frozenset[tuple[str, str]]]]:
            metrics.flush()
            sums: Counter[tuple[str, frozenset[tuple[str, str]]]] = Counter()
            for name, dimensions, values in (found for line in lines() for found in read(line)):
                sums[name, frozenset(dimensions.items())] += int(sum(values))
            return sums

        return counted

    def test_figures_are_of_one_namespace(self, metrics: EmfMetrics, lines: Lines) -> None:
        """One line a set of dimensions, with the time and the unit that CloudWatch asks for."""
        metrics.count("in", 3, worker="w")
        metrics.count("out", 2, worker="w")
        metrics.count("in", 3, worker="w", type="scoring")
        metrics.record_duration("w", 0.25)
        metrics.flush()
        whole, typed = sorted(
            lines(), key=lambda line: len(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0])
        )
        [directive] = whole["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == NAMESPACE == "CampaignWorkers"
        assert directive["Dimensions"] == [["worker"]]
        assert {found["Name"]: found["Unit"] for found in directive["Metrics"]} == {
            "in": "Count",
            "out": "Count",
            "duration": "Milliseconds",
        }
        assert (whole["worker"], whole["in"], whole["duration"]) == ("w", [3.0], [250.0])
        assert typed["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["type", "worker"]]
        assert whole["_aws"]["Timestamp"] > 1_700_000_000_000

    def test_no_figure_is_printed_twice(self, metrics: EmfMetrics, lines: Lines) -> None:
        """What was printed is gone, and nothing counted is nothing printed."""
        metrics.flush()
        metrics.count("in", 1)
        metrics.flush()
        metrics.flush()
        assert len(lines()) == 1

    def test_a_failed_invocation_prints_figures_too(
        self, metrics: EmfMetrics, lines: Lines
    ) -> None:
        """Figures are printed once an invocation, however it ends."""

        def fail() -> None:
            with metrics.invocation():
                metrics.count("in", 1)
                assert lines() == []
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert len(lines()) == 1

    @pytest.mark.parametrize("names", [99, 100, 101, 250])
    def test_a_line_has_at_most_a_hundred_figures(
        self, names: int, metrics: EmfMetrics, counted: Counted
    ) -> None:
        """More of them are more lines; none is lost."""
        for number in range(names):
            metrics.count(f"tag{number}", number + 1)
        found = counted()
        assert len(found) == names
        assert sum(found.values()) == names * (names + 1) // 2

    @pytest.mark.parametrize("calls", [1, 100, 150])
    def test_a_figure_has_at_most_a_hundred_values(
        self, calls: int, metrics: EmfMetrics, lines: Lines
    ) -> None:
        """The durations of many calls are several lines."""
        for _ in range(calls):
            metrics.record_duration("w", 1)
        metrics.flush()
        told = [line["duration"] for line in lines()]
        assert sum(map(len, told)) == calls
        assert max(map(len, told)) <= 100

    def test_there_are_never_more_dimensions_than_cloudwatch_takes(
        self, metrics: EmfMetrics, lines: Lines
    ) -> None:
        """Those beyond are left out rather than the figure."""
        metrics.count("in", 1, **{f"d{number:02}": "x" for number in range(40)})
        metrics.flush()
        [line] = lines()
        assert len(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) <= 30

    def test_the_environment_adds_no_dimension(
        self, metrics: EmfMetrics, lines: Lines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Alarms find the figures whatever the library's own variables are."""
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "other")
        monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Other")
        metrics.count("in", 1, worker="w")
        metrics.flush()
        [line] = lines()
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == (NAMESPACE, [["worker"]])


@given(st.text())
def test_dimensions_are_what_cloudwatch_takes(value: str) -> None:
    """Printable ASCII, not blank, no colon in front, not over 1,024 signs."""
    from campaign_workers.adapters.aws.cloudwatch import _encode_dimension

    told = _encode_dimension(value)
    assert told.isascii()
    assert told.isprintable()
    assert told.strip()
    assert 1 <= len(told) <= 1024
    assert not told.startswith(":")


@attrs.frozen
class Context:
    """The context of an invocation that is ended at a time."""

    deadline: CountdownDeadline

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda tells it, which goes below zero."""
        left = self.deadline.ends - self.deadline.clock.now()
        return int(left / timedelta(milliseconds=1))


class TestLambdaDeadline(DeadlineContract):
    """`LambdaDeadline`, inside an invocation."""

    limit_seconds = 3.0

    @pytest.fixture
    def clock(self) -> SteppedClock:
        return SteppedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))

    @pytest.fixture
    def context(self, clock: SteppedClock) -> Context:
        return Context(CountdownDeadline(clock, clock.now() + timedelta(seconds=3)))

    @pytest.fixture
    def deadline(self, context: Context) -> Iterator[LambdaDeadline]:
        deadline = LambdaDeadline()
        with deadline.during(context):
            yield deadline

    @pytest.fixture
    def wait(self, clock: SteppedClock) -> Wait:
        return clock.sleep

    def test_an_invocation_that_ended_says_nothing_any_more(self, context: Context) -> None:
        """A container outlives its invocations, however they end."""
        deadline = LambdaDeadline()

        def fail() -> None:
            with deadline.during(context):
                assert deadline.remaining_seconds() == 3
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert deadline.remaining_seconds() == math.inf

    @pytest.mark.parametrize("context", [None, object()])
    def test_without_a_context_nobody_ends_the_run(self, context: object) -> None:
        """Whoever calls a handler by hand sets no limit."""
        deadline = LambdaDeadline()
        with deadline.during(context):
            assert deadline.remaining_seconds() == math.inf
