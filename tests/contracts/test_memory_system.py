"""Secrets, figures and starts of the state machine in dicts keep their contracts."""

from datetime import UTC, datetime

import pytest

from campaign_workers.adapters.memory.system import MemoryMetrics, MemorySecrets
from campaign_workers.adapters.memory.workflow import MemoryWorkflowStarter
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.metrics import Counted, MetricsContract
from campaign_workers.testing.contracts.secrets import (
    Peek,
    Plant,
    SecretsContract,
    WritableSecretsContract,
)
from campaign_workers.testing.contracts.workflow import (
    RunnableWorkflowContract,
    Started,
    WorkflowStarterContract,
)


class TestMemorySecrets(SecretsContract, WritableSecretsContract):
    """`MemorySecrets`."""

    @pytest.fixture
    def secrets(self) -> MemorySecrets:
        return MemorySecrets()

    @pytest.fixture
    def plant(self, secrets: MemorySecrets) -> Plant:
        return secrets._secrets.__setitem__

    @pytest.fixture
    def peek(self, secrets: MemorySecrets) -> Peek:
        return secrets._secrets.get

    @pytest.fixture
    def outage(self, secrets: MemorySecrets) -> Outage:
        return secrets.outage


class TestMemoryMetrics(MetricsContract):
    """`MemoryMetrics`."""

    @pytest.fixture
    def metrics(self) -> MemoryMetrics:
        return MemoryMetrics()

    @pytest.fixture
    def counted(self, metrics: MemoryMetrics) -> Counted:
        return lambda: {
            (name, frozenset(dimensions)): value
            for (name, dimensions), value in metrics.counted.items()
        }

    def test_a_total_is_over_all_that_match(self, metrics: MemoryMetrics) -> None:
        """Tests ask for a sum, whatever the other dimensions are."""
        metrics.count("in", 1, worker="a", type="x")
        metrics.count("in", 2, worker="a", type="y")
        metrics.count("in", 4, worker="b", type="x")
        assert (metrics.total("in"), metrics.total("out")) == (7, 0)
        assert metrics.total("in", {"worker": "a"}) == 3
        assert metrics.total("in", {"type": "x"}) == 5


class TestMemoryWorkflowStarter(WorkflowStarterContract, RunnableWorkflowContract):
    """`MemoryWorkflowStarter`."""

    @pytest.fixture
    def clock(self) -> SteppedClock:
        return SteppedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))

    @pytest.fixture
    def workflow(self, clock: SteppedClock) -> MemoryWorkflowStarter:
        return MemoryWorkflowStarter(clock)

    @pytest.fixture
    def started(self, workflow: MemoryWorkflowStarter) -> Started:
        return lambda: {name: payload for name, payload, _ in workflow.executions()}

    @pytest.fixture
    def outage(self, workflow: MemoryWorkflowStarter) -> Outage:
        return workflow.outage
