"""The embedded runtime runs the state machine and the schedules."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from campaign_workers.domain.errors import BadInput, NotFound, RetryLater
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import ObjectTrigger, ScheduleTrigger, WorkflowTrigger
from tests.adapters.runtime_stage import BUCKET, NOON, Killed, Stage, failing, report

FILES = ObjectTrigger(worker="worker", bucket=BUCKET, prefix="scored/", suffix=".txt", attempts=3)
STEPS = WorkflowTrigger(worker="worker", workflow="machine", attempts=4)


class TestExecutions:
    """What the state machine of a wave does."""

    def test_a_step_is_called_again_while_it_returns_a_cursor(self) -> None:
        """Each call gets the payload and the cursor of the one before."""
        stage = Stage(triggers=[STEPS])

        def act(event: Mapping[str, Any]) -> Report:
            line = event.get("cursor", {}).get("line", 0) + 10
            return report(cursor={"line": line}) if line < 30 else report(cursor=None)

        stage.act = act
        stage.workflow.start("wave", {"configKey": "k"})
        stage.runtime.run_until_idle()
        stage.another_process().run_until_idle()
        assert stage.events() == [
            {"configKey": "k"},
            {"configKey": "k", "cursor": {"line": 10}},
            {"configKey": "k", "cursor": {"line": 20}},
        ]

    def test_a_step_that_fails_is_given_up_once(self) -> None:
        """After the last attempt the worker's give-up step runs once, and the execution ends."""
        stage = Stage(triggers=[STEPS], act=failing(RetryLater("busy"), times=4))
        stage.workflow.start("wave", {"configKey": "k"})
        stage.runtime.run_until_idle()
        stage.another_process().run_until_idle()
        assert stage.events() == [{"configKey": "k"}] * 4 + [{"configKey": "k", "giveUp": True}]
        [letter] = stage.dead_letters()
        assert (letter.source, letter.attempts) == ("machine/wave", 4)

    def test_a_failed_give_up_is_reported(self) -> None:
        """The wave then needs a person."""
        stage = Stage(triggers=[STEPS], act=failing(RetryLater("busy")))
        stage.workflow.start("wave", {})
        stage.runtime.run_until_idle()
        assert len(stage.calls) == 5
        assert [letter.attempts for letter in stage.dead_letters()] == [4, 1]

    def test_a_failure_after_a_cursor_goes_on_from_it(self) -> None:
        """What was done is not done again, and each step has all its attempts."""
        stage = Stage(triggers=[STEPS])
        left = [3, 3]

        def act(event: Mapping[str, Any]) -> Report:
            step = event.get("cursor", 0)
            if left[step]:
                left[step] -= 1
                raise RetryLater("busy")
            return report(cursor=1) if not step else report()

        stage.act = act
        stage.workflow.start("wave", {})
        stage.runtime.run_until_idle()
        assert [event.get("cursor") for event in stage.events()] == [None] * 4 + [1] * 4
        assert stage.dead_letters() == ()

    def test_executions_run_in_the_order_of_their_start(self) -> None:
        """Each once, also one that is started by another's step."""
        stage = Stage(triggers=[STEPS])

        def act(event: Mapping[str, Any]) -> Report:
            if event["n"] == 1:
                stage.workflow.start("third", {"n": 3})
            return report()

        stage.act = act
        stage.workflow.start("first", {"n": 1})
        stage.workflow.start("second", {"n": 2})
        stage.runtime.run_until_idle()
        assert [event["n"] for event in stage.events()] == [1, 2, 3]

    def test_a_killed_execution_runs_again(self) -> None:
        """It is finished only when its worker said so."""
        stage = Stage(triggers=[STEPS], act=failing(Killed(), times=1))
        stage.workflow.start("wave", {"n": 1})
        with pytest.raises(Killed):
            stage.runtime.run_until_idle()
        stage.another_process().run_until_idle()
        assert stage.events() == [{"n": 1}, {"n": 1}]


class TestSchedules:
    """What EventBridge does."""

    def test_a_cron_fires_at_each_of_its_instants(self) -> None:
        """With its payload, at its very time, also over days."""
        daily = ScheduleTrigger(
            worker="worker", schedule="cron(0 10 * * ? *)", attempts=3, payload={"type": "daily"}
        )
        stage = Stage(triggers=[daily])
        stage.runtime.advance(NOON + timedelta(days=3))
        assert stage.times == [NOON.replace(hour=10) + timedelta(days=day) for day in (1, 2, 3)]
        assert stage.events() == [{"type": "daily"}] * 3
        assert stage.clock.now() == NOON + timedelta(days=3)

    def test_an_instant_fires_once(self) -> None:
        """Who stops at an instant and goes on from it has had it already."""
        stage = Stage(
            triggers=[ScheduleTrigger(worker="worker", schedule="cron(0 13 * * ? *)", attempts=3)]
        )
        for hours in (0.5, 1, 1, 2, 3):
            stage.runtime.advance(NOON + timedelta(hours=hours))
        assert len(stage.calls) == 1

    def test_a_rate_fires_once_however_far_time_moves(self) -> None:
        """At the end, when there is something to keep up with; not when time stands still."""
        stage = Stage(
            triggers=[ScheduleTrigger(worker="worker", schedule="rate(5 minutes)", attempts=3)]
        )
        stage.runtime.advance(NOON + timedelta(days=9))
        stage.runtime.advance(NOON)
        assert stage.times == [NOON + timedelta(days=9)]

    def test_what_fires_at_once_keeps_the_order_of_the_table(self) -> None:
        """Crons by time, then by the table; what they bring is delivered before the next one."""
        stage = Stage(
            triggers=[
                ScheduleTrigger(worker="late", schedule="cron(0 15 * * ? *)", attempts=3),
                ScheduleTrigger(worker="one", schedule="cron(0 14 * * ? *)", attempts=3),
                ScheduleTrigger(worker="two", schedule="cron(0 14 * * ? *)", attempts=3),
                FILES,
            ]
        )

        def act(event: Any) -> Report:
            if stage.calls[-1][0] == "one":
                stage.bucket.put("scored/a.txt", b"")
            return report()

        stage.act = act
        stage.runtime.advance(NOON + timedelta(hours=4))
        assert [worker for worker, _ in stage.calls] == ["one", "worker", "two", "late"]

    def test_a_failing_schedule_is_tried_three_times(self) -> None:
        """Then the schedule is the source of a dead letter."""
        stage = Stage(
            triggers=[ScheduleTrigger(worker="worker", schedule="rate(5 minutes)", attempts=3)]
        )
        stage.act = failing(NotFound("no campaign"))
        stage.runtime.advance(NOON + timedelta(minutes=5))
        [letter] = stage.dead_letters()
        assert (len(stage.calls), letter.attempts) == (3, 3)
        assert (letter.source, letter.reason) == ("rate(5 minutes)", "NotFound: no campaign")

    @pytest.mark.parametrize(
        "schedule",
        [
            "",
            "every day",
            "cron(0 10 * * *)",
            "cron(0 10 * * ? 2027)",
            "cron(99 10 * * ? *)",
            "cron(0 10 ? * 2 *)",
            "rate(5)",
            "rate(five minutes)",
        ],
    )
    def test_a_schedule_that_is_none_is_bad_input(self, schedule: str) -> None:
        """Also a weekday in figures, which EventBridge and cron count differently."""
        stage = Stage(triggers=[ScheduleTrigger(worker="worker", schedule=schedule, attempts=3)])
        with pytest.raises(BadInput, match="schedule"):
            stage.runtime.advance(NOON + timedelta(days=1))
        assert stage.calls == []

    def test_weekdays_have_names(self) -> None:
        """NOON is a Monday; the next Tuesday is tomorrow."""
        stage = Stage(
            triggers=[ScheduleTrigger(worker="worker", schedule="cron(0 10 ? * TUE *)", attempts=3)]
        )
        stage.runtime.advance(NOON + timedelta(days=7))
        assert stage.times == [NOON.replace(hour=10) + timedelta(days=1)]
