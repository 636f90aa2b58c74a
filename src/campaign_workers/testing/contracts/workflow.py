"""What every starter of the state machine promises."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol

import pytest

from campaign_workers.domain.errors import BadInput, RetryLater
from campaign_workers.ports.system import Clock
from campaign_workers.ports.workflow import Execution, WorkflowStarter
from campaign_workers.testing.contracts._base import Contract, Outage
from campaign_workers.testing.contracts._race import race

Started = Callable[[], Mapping[str, Mapping[str, Any]]]
"""Payloads of all executions by name, past the adapter."""

PAYLOAD: Final = {"configKey": "smsWaves/scheduled/Zoë 🎫_csv.json", "nested": {"list": [1, None]}}
REFUSED: Final = ("", "a b", "a.b", "a/b", "é", "x" * 81, "name\n")


class WorkflowStarterContract(Contract):
    """Fixtures: `workflow`, nothing started; `started`; `clock`, which it goes by; `outage`."""

    def test_an_execution_is_started_with_its_payload(
        self, workflow: WorkflowStarter, started: Started, clock: Clock
    ) -> None:
        """Name and payload arrive as they were given; the answer tells when, to the second."""
        execution = workflow.start("wave-1_A", PAYLOAD)
        assert (execution.name, execution.is_new) == ("wave-1_A", True)
        assert abs(execution.started - clock.now()) <= timedelta(seconds=2)
        assert started() == {"wave-1_A": PAYLOAD}

    def test_a_name_starts_once(
        self, workflow: WorkflowStarter, started: Started, clock: Clock
    ) -> None:
        """A second start is answered with the first one, whatever its payload."""
        first = workflow.start("wave", PAYLOAD)
        clock.sleep(2)
        for payload in (PAYLOAD, {"configKey": "another"}):
            again = workflow.start("wave", payload)
            assert (again.started, again.is_new) == (first.started, False)
        assert workflow.start("other", {}).is_new
        assert started() == {"wave": PAYLOAD, "other": {}}

    def test_of_all_who_start_at_once_one_does(
        self, workflow: WorkflowStarter, started: Started
    ) -> None:
        """The schedule may fire twice at the same moment: one execution runs."""
        outcomes = race(*(partial(workflow.start, "wave", {"n": n}) for n in range(6)))
        executions = [outcome for outcome in outcomes if isinstance(outcome, Execution)]
        [winner] = [n for n, execution in enumerate(executions) if execution.is_new]
        assert len(executions) == 6
        assert len({execution.started for execution in executions}) == 1
        assert started() == {"wave": {"n": winner}}

    @pytest.mark.parametrize("name", ["a", "A-9_z", "x" * 80])
    def test_names_are_letters_digits_and_two_signs(
        self, workflow: WorkflowStarter, started: Started, name: str
    ) -> None:
        """From one character to eighty."""
        assert workflow.start(name, {}).is_new
        assert list(started()) == [name]

    @pytest.mark.parametrize("name", REFUSED, ids=lambda name: ascii(name[:9]))
    def test_no_other_name_starts(
        self, workflow: WorkflowStarter, started: Started, name: str
    ) -> None:
        """A name of another form is bad input, and nothing is started."""
        with pytest.raises(BadInput):
            workflow.start(name, PAYLOAD)
        assert started() == {}

    def test_a_payload_is_not_shared(self, workflow: WorkflowStarter, started: Started) -> None:
        """Whoever changes it afterwards changes no execution."""
        payload: dict[str, Any] = {"list": [1]}
        workflow.start("wave", payload)
        payload["list"].append(2)
        assert started() == {"wave": {"list": [1]}}

    def test_an_outage_asks_for_another_try(
        self, workflow: WorkflowStarter, started: Started, outage: Outage
    ) -> None:
        """While the service fails, nothing is started; afterwards the same name is fresh."""
        with outage(), pytest.raises(RetryLater):
            workflow.start("wave", PAYLOAD)
        assert started() == {}
        assert workflow.start("wave", PAYLOAD).is_new


class RunnableWorkflow(WorkflowStarter, Protocol):
    """A starter that tells the embedded runtime what to run."""

    def executions(self) -> Sequence[tuple[str, Mapping[str, Any], datetime]]:
        """What was started, oldest first: name, payload and when."""
        ...


class RunnableWorkflowContract(Contract):
    """Fixtures: `workflow`, nothing started; `clock`, which it goes by."""

    def test_what_was_started_is_told_in_order(
        self, workflow: RunnableWorkflow, clock: Clock
    ) -> None:
        """The oldest execution first, each once, with its payload and its time."""
        expected = []
        for name in ("z", "a", "m", "a"):
            execution = workflow.start(name, {"n": name})
            if execution.is_new:
                expected.append((name, {"n": name}, clock.now()))
            clock.sleep(1.000001)
        assert list(workflow.executions()) == expected
