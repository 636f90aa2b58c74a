"""State machine of text message waves.

It schedules waves, advances the clock, runs the scheduler and the sender, injects lost responses,
outages and kills, changes files and schedules again. In any order, no fan is notified twice.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from campaign_workers.adapters.fakes.faults import Faults
from campaign_workers.adapters.system.deadlines import CountdownDeadline
from campaign_workers.domain.errors import CampaignError, OutcomeUnknown, RetryLater
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage.layout import WaveState, wave_config_key
from campaign_workers.domain.waves.files import Registrant
from campaign_workers.domain.waves.notifications import message_id
from campaign_workers.testing.crashes import Killed, KillSwitch, Side
from campaign_workers.testing.machines.wave_world import DEAD_ENDING, WaveWorld, registrant
from campaign_workers.workers.sms_wave_send.sender import Limits


@attrs.define
class _Execution:
    """An execution of the Step Functions state machine, with the request of its next call."""

    key: str
    version: str
    request: dict[str, Any] = attrs.field(factory=dict)
    failures: int = 0


_ROWS: Final = (
    registrant(1),
    registrant(2, doNotText="yes"),
    registrant(3, mobileNumber=f"+12125550{DEAD_ENDING}"),
    registrant(4, mobileNumber=f"+12125550{DEAD_ENDING}", email="nobody"),
    registrant(5, mobileNumber="+447400123456"),
    registrant(6, code=""),
    registrant(7, email=""),
    registrant(1, marketId="chi"),
    registrant(1),
    registrant(8, globalUserId=""),
)
_KINDS: Final = st.integers(0, len(_ROWS) - 1)
_HOURS: Final = {"start": "09:00", "end": "21:00"}
_WAVES: Final[Mapping[str, Mapping[str, Any]]] = {
    "free": {},
    "paced": {"rate": 2},
    "waits": {"textingHours": _HOURS | {"otherwise": "wait"}},
    "writes": {"textingHours": _HOURS | {"otherwise": "email"}, "rate": 5},
}


class _OutageSwitch(KillSwitch):
    """Raises `RetryLater` where a `KillSwitch` would kill the process."""

    def check(self, side: Side) -> None:
        """Raise if the call fails at this side.

        Raises:
            RetryLater: it does.
        """
        if self.calls == self.at and self.side == side:
            raise RetryLater("the service is down")


def _switches(*, calls: int) -> st.SearchStrategy[KillSwitch]:
    """Generate no fault, or a kill or outage before or after one of the first port calls."""
    kinds = st.sampled_from((KillSwitch, _OutageSwitch))
    armed = st.builds(
        lambda kind, at, side: kind(at=at, side=side),
        kinds,
        st.integers(1, calls),
        st.sampled_from(("before", "after")),
    )
    return st.builds(KillSwitch) | armed


_FAULTS: Final = (RetryLater("too many requests"), OutcomeUnknown("no answer"))
_ATTEMPTS: Final = 3
_ROUNDS: Final = 8
"""The number of rounds after which every wave has ended once all systems work."""
_NEW_YORK: Final = ZoneInfo("America/New_York")


class WaveMachine(RuleBasedStateMachine):
    """Any events in the life of a wave, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = WaveWorld(limits=Limits(in_flight=3, batch_size=2, attempts=2))
        self.rows: dict[str, list[dict[str, str]]] = {wave: [] for wave in _WAVES}
        self.limits = dict.fromkeys(_WAVES, 0)
        self.executions: list[_Execution] = []
        self.seen_executions = self.versions = 0

    @rule(
        wave=st.sampled_from(sorted(_WAVES)),
        more=st.lists(_KINDS, max_size=5),
        limit=st.sampled_from((2, 5, 100)),
    )
    def schedule(self, wave: str, more: list[int], limit: int) -> None:
        """Upload the rows of a wave with additional ones, and put its config into `scheduled/`."""
        self.rows[wave] += [_ROWS[kind] for kind in more]
        self.limits[wave] = max(limit, self.limits[wave])
        self.versions += 1
        self.world.upload(wave, self.rows[wave])
        fields = {"totalLimit": limit, "version": self.versions} | dict(_WAVES[wave])
        self.world.schedule(wave, **fields)

    @rule(wave=st.sampled_from(sorted(_WAVES)), more=st.lists(_KINDS, min_size=3))
    def start(self, wave: str, more: list[int]) -> None:
        """Schedule a wave and run the scheduler."""
        self.schedule(wave, more, 100)
        self.tick(KillSwitch())

    @rule(wave=st.sampled_from(sorted(_WAVES)), opted_out=st.booleans())
    def change_opt_outs(self, wave: str, opted_out: bool) -> None:
        """Opt all fans of a wave out of texts, or in again, possibly while it is being sent."""
        self.rows[wave] = [
            {**row, "doNotText": "yes" if opted_out else ""} for row in self.rows[wave]
        ]
        self.world.upload(wave, self.rows[wave])

    @rule(minutes=st.sampled_from((1, 20, 300)))
    def wait(self, minutes: int) -> None:
        """Advance the clock."""
        self.world.clock.advance(timedelta(minutes=minutes))

    @rule(fault=st.sampled_from(_FAULTS), times=st.integers(1, 5), answer_lost=st.booleans())
    def fail_texts(self, fault: RetryLater, times: int, answer_lost: bool) -> None:
        """Make the next texts fail, before or after they are accepted."""
        self.world.sms.faults.fail_next(fault, times=times, answer_lost=answer_lost)

    @rule(switch=_switches(calls=12))
    def tick(self, switch: KillSwitch) -> None:
        """Run the scheduler."""
        report = self._run_with_faults(self.world.tick, switch)
        assert report is None or not report.imbalances
        self._collect_executions()

    @precondition(lambda self: self.executions)
    @rule(
        choice=st.integers(0, 3),
        switch=_switches(calls=40),
        seconds=st.sampled_from((60.5, 61.5, 63.0, 1e9)),
    )
    def step(self, choice: int, switch: KillSwitch, seconds: float) -> None:
        """Call the sender for one execution; after three failures the execution is abandoned."""
        execution = self.executions[choice % len(self.executions)]
        ends = self.world.clock.now() + timedelta(seconds=seconds)
        deadline = CountdownDeadline(self.world.clock, ends)
        self._step(execution, switch, deadline=deadline)

    def _step(self, execution: _Execution, switch: KillSwitch, **conditions: Any) -> None:
        request = {"version": execution.version, **execution.request, **conditions}
        send = partial(self.world.send, execution.key, **request)
        self._record_result(execution, self._run_with_faults(send, switch))

    def _collect_executions(self) -> None:
        started = self.world.workflow.executions()
        for _, payload, _ in started[self.seen_executions :]:
            self.executions.append(_Execution(key=payload["configKey"], version=payload["version"]))
        self.seen_executions = len(started)

    def _run_with_faults(self, run: Callable[[], Report], switch: KillSwitch) -> Report | None:
        self.world.wrap = switch.wrap
        try:
            return run()
        except (CampaignError, Killed):
            return None
        finally:
            self.world.wrap = lambda port: port

    def _record_result(self, execution: _Execution, report: Report | None) -> None:
        if report is None:
            execution.failures += 1
            if execution.failures == _ATTEMPTS:
                self.executions.remove(execution)
                self._give_up(execution)
            return
        assert not report.imbalances
        execution.failures = 0
        if cursor := report.details.get("cursor"):
            execution.request = {"cursor": cursor}
        else:
            self.executions.remove(execution)

    def _give_up(self, execution: _Execution) -> None:
        with suppress(CampaignError):
            assert not self.world.send(
                execution.key, version=execution.version, giveUp=True
            ).imbalances

    @invariant()
    def no_fan_is_notified_twice(self) -> None:
        """No registrant gets both a text and an e-mail, and no one else gets either."""
        texted = [text.message.message_id for text in self.world.texts()]
        assert len(texted) == len(set(texted))
        emailed = set(self.world.emails())
        assert emailed.isdisjoint(texted)
        assert {*emailed, *texted} <= {id_ for wave in _WAVES for id_ in self._ids(wave)}

    @invariant()
    def no_wave_exceeds_its_limit(self) -> None:
        """The number of notified fans of a wave never exceeds its highest limit."""
        notified = {text.message.message_id for text in self.world.texts()} | set(
            self.world.emails()
        )
        for wave in _WAVES:
            assert len(notified & self._ids(wave)) <= self.limits[wave]

    @invariant()
    def texts_keep_to_rates_and_hours(self) -> None:
        """No second has more texts of a wave than its rate, and none are sent at night."""
        for wave, fields in _WAVES.items():
            times = [text.accepted for text in self.world.texts() if text.message.group == wave]
            if rate := fields.get("rate"):
                # The fake stores times in whole milliseconds.
                second = timedelta(milliseconds=999)
                assert all(b - a >= second for a, b in zip(times, times[rate:], strict=False))
            if "textingHours" in fields:
                assert all(9 <= at.astimezone(_NEW_YORK).hour < 21 for at in times)

    def teardown(self) -> None:
        """Schedule each wave once more, at noon: it completes, and every fan is notified."""
        self.world.sms.faults = Faults()
        noon = self.world.clock.now().astimezone(_NEW_YORK).replace(hour=12, minute=0)
        self.world.clock.advance(noon + timedelta(days=1) - self.world.clock.now())
        for wave in _WAVES:
            self.schedule(wave, [], 100)
        for _ in range(_ROUNDS):
            self.tick(KillSwitch())
            for execution in list(self.executions):
                self._step(execution, KillSwitch())
            if not self.executions:
                break
        assert not self.executions
        for wave in _WAVES:
            assert self.world.states(wave) == [WaveState.COMPLETED]
            self._assert_all_notified(wave)
        self.no_fan_is_notified_twice()
        self.texts_keep_to_rates_and_hours()

    def _assert_all_notified(self, wave: str) -> None:
        report = self.world.send(wave_config_key(wave, WaveState.SCHEDULED))
        texted = {text.message.message_id for text in self.world.texts()} & self._ids(wave)
        emailed = set(self.world.emails()) & self._ids(wave)
        assert not report.imbalances
        assert report.counts["total"] == len(self.rows[wave])
        assert report.counts["sms"] <= len(texted)
        assert report.counts["email"] <= len(emailed)
        # A fan who opts out while an outcome is unknown counts as failed, but may have a text.
        notified = len(texted) + len(emailed)
        assert 0 <= notified - report.counts["ok"] <= report.counts["failed"]
        assert not report.counts["unsettled"]

    def _ids(self, wave: str) -> set[str]:
        return {
            message_id(wave, Registrant.parse(row, 1))
            for row in self.rows[wave]
            if row["globalUserId"]
        }
