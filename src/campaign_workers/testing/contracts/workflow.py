"""Contracts of `WorkflowStarter`, and of starters whose executions can be listed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol

import pytest

from campaign_workers.domain.errors import BadInput, RetryLater
from campaign_workers.ports.system import Clock
from campaign_workers.ports.workflow import Execution, WorkflowStarter
from campaign_workers.testing.contracts._base import Contract, Outage, race

Started = Callable[[], Mapping[str, Mapping[str, Any]]]
"""Reads the payloads of all executions by name directly from the backend."""

PAYLOAD: Final = {"configKey": "smsWaves/scheduled/Zoë 🎫_csv.json", "nested": {"list": [1, None]}}
REFUSED: Final = ("", "a b", "a.b", "a/b", "é", "x" * 81, "name\n")


class WorkflowStarterContract(Contract):
    """Fixtures: `workflow`, without executions; `started`; `clock`, its clock; `outage`."""

    def test_an_execution_is_started_with_its_payload(
        self, workflow: WorkflowStarter, started: Started, clock: Clock
    ) -> None:
        """Name and payload arrive unchanged; the start time is exact to the second."""
        execution = workflow.start("wave-1_A", PAYLOAD)
        assert (execution.name, execution.is_new) == ("wave-1_A", True)
        assert abs(execution.started - clock.now()) <= timedelta(seconds=2)
        assert started() == {"wave-1_A": PAYLOAD}

    def test_a_name_is_started_once(
        self, workflow: WorkflowStarter, started: Started, clock: Clock
    ) -> None:
        """A second start returns the first execution, whatever its payload."""
        first = workflow.start("wave", PAYLOAD)
        clock.sleep(2)
        for payload in (PAYLOAD, {"configKey": "another"}):
            again = workflow.start("wave", payload)
            assert (again.started, again.is_new) == (first.started, False)
        assert workflow.start("other", {}).is_new
        assert started() == {"wave": PAYLOAD, "other": {}}

    def test_concurrent_starts_have_one_execution(
        self, workflow: WorkflowStarter, started: Started
    ) -> None:
        """If a schedule fires twice at the same time, one execution runs."""
        outcomes = race(*(partial(workflow.start, "wave", {"n": n}) for n in range(6)))
        executions = [outcome for outcome in outcomes if isinstance(outcome, Execution)]
        [winner] = [n for n, execution in enumerate(executions) if execution.is_new]
        assert len(executions) == 6
        assert len({execution.started for execution in executions}) == 1
        assert started() == {"wave": {"n": winner}}

    @pytest.mark.parametrize("name", ["a", "A-9_z", "x" * 80])
    def test_names_have_letters_digits_dash_and_underscore(
        self, workflow: WorkflowStarter, started: Started, name: str
    ) -> None:
        """A name has 1 to 80 characters."""
        assert workflow.start(name, {}).is_new
        assert list(started()) == [name]

    @pytest.mark.parametrize("name", REFUSED, ids=lambda name: ascii(name[:9]))
    def test_invalid_names_are_refused(
        self, workflow: WorkflowStarter, started: Started, name: str
    ) -> None:
        """An invalid name raises `BadInput`, and nothing is started."""
        with pytest.raises(BadInput):
            workflow.start(name, PAYLOAD)
        assert started() == {}

    def test_payloads_are_copied(self, workflow: WorkflowStarter, started: Started) -> None:
        """Later changes of a payload do not affect its execution."""
        payload: dict[str, Any] = {"list": [1]}
        workflow.start("wave", payload)
        payload["list"].append(2)
        assert started() == {"wave": {"list": [1]}}

    def test_an_outage_raises_retry_later(
        self, workflow: WorkflowStarter, started: Started, outage: Outage
    ) -> None:
        """While the service fails, nothing is started; afterwards the name is still unused."""
        with outage(), pytest.raises(RetryLater):
            workflow.start("wave", PAYLOAD)
        assert started() == {}
        assert workflow.start("wave", PAYLOAD).is_new


class RunnableWorkflow(WorkflowStarter, Protocol):
    """A starter with a list of its executions, which the embedded runtime needs."""

    def executions(self) -> Sequence[tuple[str, Mapping[str, Any], datetime]]:
        """Return the executions, oldest first: name, payload and start time."""
        ...


class RunnableWorkflowContract(Contract):
    """Fixtures: `workflow`, without executions; `clock`, its clock."""

    def test_executions_are_listed_in_order(self, workflow: RunnableWorkflow, clock: Clock) -> None:
        """Executions are listed once, oldest first, with payload and start time."""
        expected = []
        for name in ("z", "a", "m", "a"):
            execution = workflow.start(name, {"n": name})
            if execution.is_new:
                expected.append((name, {"n": name}, clock.now()))
            clock.sleep(1.000001)
        assert list(workflow.executions()) == expected
