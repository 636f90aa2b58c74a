"""The state machine of a wave: a sound definition, and what the real worker makes of it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]

from campaign_workers.adapters.system.deadlines import CountdownDeadline
from campaign_workers.domain import errors
from campaign_workers.domain.errors import CampaignError, Fatal, RejectRecord, RetryLater
from campaign_workers.domain.storage.layout import WaveState, wave_config_key
from campaign_workers.testing.machines.wave_world import WaveWorld, registrant
from tests.deploy.stack import stack
from tests.deploy.wave_workflow import (
    ANY,
    DEFINITION,
    NO_ATTEMPT,
    STATES,
    Execution,
    Failed,
    attempts_of,
)

WAVE = "tour_nyc"
KEY = wave_config_key(WAVE, WaveState.SCHEDULED)
ENDS = ("Succeed", "Fail")
TASKS = [name for name, state in STATES.items() if state["Type"] == "Task"]


def test_the_definition_is_as_the_service_wants_it() -> None:
    """Every field is one of the language, with a value of its type."""
    definition = json.loads(json.dumps(DEFINITION).replace("${Partition}", "aws"))
    role = "arn:aws:iam::000000000000:role/any"
    machine = {"Definition": definition, "DefinitionSubstitutions": {"SmsWaveSend": "x"}}
    resource = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"RoleArn": role, **machine},
    }
    assert lint(json.dumps({"Resources": {"Machine": resource}})) == []


def test_every_state_is_there_and_is_come_to() -> None:
    """No transition leads nowhere, and no state is left over."""
    seen, todo = set(), [DEFINITION["StartAt"]]
    while todo:
        state = todo.pop()
        if state not in seen:
            seen.add(state)
            todo += _following(STATES[state])
    assert seen == STATES.keys()


def test_every_state_ends_or_goes_on() -> None:
    """Each state has a next one, or says that it is the last."""
    dangling = [
        name
        for name, state in STATES.items()
        if state["Type"] not in ENDS and not state.get("End") and not list(_following(state))
    ]
    assert not dangling


@pytest.mark.parametrize("task", TASKS)
def test_whatever_a_task_raises_is_caught(task: str) -> None:
    """The last retrier and the last catcher of a task are for every error."""
    assert STATES[task]["Retry"][-1]["ErrorEquals"] == [ANY]
    assert STATES[task]["Catch"][-1]["ErrorEquals"] == [ANY]


@pytest.mark.parametrize("task", TASKS)
def test_only_what_may_pass_is_tried_again(task: str) -> None:
    """Each fatal error of the domain is named among those without a second attempt."""
    [never] = [r["ErrorEquals"] for r in STATES[task]["Retry"] if r["MaxAttempts"] == 0]
    fatal = {kind.__name__ for kind in _kinds() if issubclass(kind, Fatal)}
    assert set(never) == fatal


@pytest.mark.parametrize("task", TASKS)
def test_attempts_keep_away_from_each_other(task: str) -> None:
    """Waits between attempts grow, have a bound, and are spread by chance."""
    for retrier in STATES[task]["Retry"]:
        if retrier["MaxAttempts"]:
            assert retrier["BackoffRate"] > 1
            assert retrier["MaxDelaySeconds"] <= 300
            assert retrier["JitterStrategy"] == "FULL"


@pytest.mark.parametrize("task", TASKS)
def test_a_task_waits_longer_than_its_function_lives(task: str) -> None:
    """The function's own time-out comes first, so that no call goes on unwatched."""
    assert STATES[task]["TimeoutSeconds"] > stack().functions["SmsWaveSend"]["Timeout"]


def test_a_short_wave_is_one_call() -> None:
    """Input goes to the worker as it is, and its report is the output."""
    world = _world(fans=3)
    execution = Execution(lambda payload: world.send(payload.pop("configKey"), **payload).to_json())
    execution.run({"configKey": KEY})
    assert execution.visited == ["Begin", "Send", "IsMoreToSend", "Sent"]
    assert execution.output["count"]["sms"] == 3
    assert world.states(WAVE) == [WaveState.COMPLETED]


def test_a_long_wave_goes_on_from_call_to_call() -> None:
    """Each call gets the cursor of the one before, and everybody hears once."""
    world = _world(fans=20, rate=1)

    def call(payload: dict[str, Any]) -> Any:
        deadline = CountdownDeadline(world.clock, world.clock.now() + timedelta(seconds=66))
        return world.send(
            payload["configKey"], deadline=deadline, cursor=payload.get("cursor")
        ).to_json()

    execution = Execution(call).run({"configKey": KEY})
    assert len(execution.payloads) > 2
    assert execution.output["count"]["sms"] == len(world.texts()) == 20
    assert "cursor" not in execution.output


def test_what_the_execution_was_started_with_comes_with_every_call() -> None:
    """The version of the config is in each payload, beside the cursor of the call before."""
    answers: Iterator[Any] = iter([{"cursor": {"position": 1}}, {"cursor": {"position": 2}}, {}])
    execution = Execution(lambda _: next(answers)).run({"configKey": KEY, "version": "v"})
    assert execution.payloads == [
        {"configKey": KEY, "version": "v"},
        {"configKey": KEY, "version": "v", "cursor": {"position": 1}},
        {"configKey": KEY, "version": "v", "cursor": {"position": 2}},
    ]


def test_texting_hours_are_waited_for() -> None:
    """A `waitUntil` in the answer is waited for before the next call."""
    answers: Iterator[Any] = iter(
        [{"cursor": {"position": 0}, "waitUntil": "2026-11-21T15:00:00Z"}, {"count": {}}]
    )
    execution = Execution(lambda _: next(answers)).run({"configKey": KEY})
    assert [moment.isoformat() for moment in execution.waits] == ["2026-11-21T15:00:00+00:00"]
    assert execution.visited[3:6] == ["WaitForTextingHours", "GoOn", "Send"]


def test_a_failing_system_gets_its_attempts_and_then_the_wave_is_given_up() -> None:
    """After the last attempt the config is in `failed/`, the channel is notified, the run fails."""
    world = _world(fans=2)

    def call(payload: dict[str, Any]) -> Any:
        if not payload.get("giveUp"):
            raise Failed(RetryLater.__name__)
        return world.send(payload["configKey"], giveUp=True).to_json()

    execution = Execution(call).run({"configKey": KEY})
    assert [p.get("giveUp", False) for p in execution.payloads] == [False] * attempts_of("Send") + [
        True
    ]
    assert execution.error == "RetryLater"
    assert world.states(WAVE) == [WaveState.FAILED]
    assert [post.channel for post in world.chat.posts()] == ["#tour"]


def test_a_refused_wave_is_not_tried_again() -> None:
    """A wrong config fails at the first call, and the channel is notified."""
    world = _world(fans=1, rate="fast")

    def call(payload: dict[str, Any]) -> Any:
        try:
            return world.send(payload["configKey"], giveUp=payload.get("giveUp", False)).to_json()
        except CampaignError as error:
            raise Failed(type(error).__name__) from None

    execution = Execution(call).run({"configKey": KEY})
    assert execution.visited == ["Begin", "Send", "SayGiveUp", "GiveUp", "Failed"]
    assert execution.error == "BadInput"
    assert world.states(WAVE) == [WaveState.FAILED]


def test_a_wave_that_has_no_room_waits_for_it() -> None:
    """Waves beyond the concurrency of the sender use up no attempt while they wait."""
    room = iter([False] * 50 + [True])

    def call(_: dict[str, Any]) -> Any:
        if not next(room):
            raise Failed(NO_ATTEMPT)
        return {"count": {}}

    assert Execution(call).run({"configKey": KEY}).error is None


def test_an_alarm_that_cannot_be_given_still_ends_in_failure() -> None:
    """When giving up fails as well, the execution fails with the error of the wave."""

    def call(payload: dict[str, Any]) -> Any:
        raise Failed("Conflict" if payload.get("giveUp") else "NotFound")

    assert Execution(call).run({"configKey": KEY}).error == "NotFound"


def _world(*, fans: int, **config: Any) -> WaveWorld:
    world = WaveWorld()
    world.upload(WAVE, [registrant(number) for number in range(1, fans + 1)])
    world.schedule(WAVE, **config)
    return world


def _following(state: dict[str, Any]) -> Iterator[str]:
    branches = (*state.get("Choices", ()), *state.get("Catch", ()))
    for place in (state, *branches):
        if "Next" in place:
            yield place["Next"]
    if "Default" in state:
        yield state["Default"]


def _kinds() -> list[type[CampaignError]]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    return [k for k in kinds if issubclass(k, CampaignError) and not issubclass(k, RejectRecord)]
