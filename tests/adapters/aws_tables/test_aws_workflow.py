"""Whether an execution is fresh, decided by the service's clock."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from campaign_workers.adapters.aws.stepfunctions import StepFunctionsStarter
from campaign_workers.domain.errors import RetryLater
from campaign_workers.ports.workflow import Execution
from tests.adapters.aws_tables.service_calls import EXECUTION, MACHINE, NOW, refused, stubbed


def start(began: datetime, answered: datetime | None) -> Execution:
    """What is told of a start that the service answers at a time with the beginning of a run."""
    headers = {"date": format_datetime(answered, usegmt=True)} if answered else {}
    with stubbed("stepfunctions") as (client, answers):
        answers.add_response(
            "start_execution",
            {
                "executionArn": EXECUTION,
                "startDate": began,
                "ResponseMetadata": {"HTTPHeaders": headers},
            },
            {"stateMachineArn": MACHINE, "name": "wave-1", "input": '{"configKey": "k"}'},
        )
        starter = StepFunctionsStarter(client, state_machine=MACHINE)
        return starter.start("wave-1", {"configKey": "k"})


@pytest.mark.parametrize("ago", [timedelta(seconds=2.5), timedelta(minutes=5), timedelta(days=80)])
def test_a_run_that_began_before_is_not_fresh(ago: timedelta) -> None:
    """A start with the payload of a run under way is answered as if it were the first."""
    assert start(NOW - ago, NOW) == Execution(name="wave-1", started=NOW - ago, is_new=False)


@pytest.mark.parametrize("wrong", [timedelta(0), timedelta(hours=-3), timedelta(days=400)])
def test_the_clock_of_this_machine_does_not_matter(wrong: timedelta) -> None:
    """What began while it was asked for is fresh, whatever time it is here."""
    now = datetime.now(UTC).replace(microsecond=0) + wrong
    began = now + timedelta(milliseconds=300)
    assert start(began, now) == Execution(name="wave-1", started=began, is_new=True)


def test_an_answer_without_a_time_is_fresh() -> None:
    """Nothing says that it is not."""
    assert start(NOW, None).is_new


def test_an_ended_run_is_reported_with_its_start() -> None:
    """The name is used up, also after the end."""
    began = NOW - timedelta(minutes=20)
    with stubbed("stepfunctions") as (client, answers):
        refused(answers, "start_execution", "ExecutionAlreadyExists")
        answers.add_response(
            "describe_execution",
            {
                "executionArn": EXECUTION,
                "stateMachineArn": MACHINE,
                "name": "wave-1",
                "status": "SUCCEEDED",
                "startDate": began,
            },
            {"executionArn": EXECUTION},
        )
        found = StepFunctionsStarter(client, state_machine=MACHINE).start("wave-1", {})
    assert found == Execution(name="wave-1", started=began, is_new=False)


def test_a_run_that_cannot_be_described_yet_asks_for_another_try() -> None:
    """Descriptions are eventually consistent: another client has just started it."""
    with stubbed("stepfunctions") as (client, answers):
        refused(answers, "start_execution", "ExecutionAlreadyExists")
        refused(answers, "describe_execution", "ExecutionDoesNotExist")
        with pytest.raises(RetryLater, match="wave-1"):
            StepFunctionsStarter(client, state_machine=MACHINE).start("wave-1", {})
