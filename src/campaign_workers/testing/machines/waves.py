"""A machine that torments waves.

It schedules them, lets time pass, ticks, steps executions, loses answers, makes systems fail,
kills, changes files and schedules again. Whatever the order, nobody hears twice of a wave.
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
from campaign_workers.domain.waves.notifications import Registrant, message_id
from campaign_workers.testing.crashes import Fuse, Killed, Side
from campaign_workers.testing.machines.wave_world import DEAD_ENDING, WaveWorld, registrant
from campaign_workers.workers.sms_wave_send.sender import Limits


@attrs.define
class _Execution:
    """One execution of the state machine: what its next call is asked."""

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


class _Trouble(Fuse):
    """Fails a call where its parent would kill the process."""

    def reached(self, side: Side) -> None:
        """Fail if this is the call, and this the side of it."""
        if self.calls == self.at and self.side == side:
            raise RetryLater("it is down")


def _fuses(*, calls: int) -> st.SearchStrategy[Fuse]:
    """Nothing, a kill or a failure before or after one of the first calls of any port."""
    kinds = st.sampled_from((Fuse, _Trouble))
    some = st.builds(
        lambda kind, at, side: kind(at=at, side=side),
        kinds,
        st.integers(1, calls),
        st.sampled_from(("before", "after")),
    )
    return st.builds(Fuse) | some


_FAULTS: Final = (RetryLater("too many requests"), OutcomeUnknown("no answer"))
_ATTEMPTS: Final = 3
_ROUNDS: Final = 8
"""Rounds after which every wave has ended, once all systems work."""
_NEW_YORK: Final = ZoneInfo("America/New_York")


class WaveMachine(RuleBasedStateMachine):
    """Anything that may happen to waves, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = WaveWorld(limits=Limits(in_flight=3, batch_size=2, attempts=2))
        self.rows: dict[str, list[dict[str, str]]] = {wave: [] for wave in _WAVES}
        self.limits = dict.fromkeys(_WAVES, 0)
        self.executions: list[_Execution] = []
        self.noticed = self.versions = 0

    @rule(
        wave=st.sampled_from(sorted(_WAVES)),
        more=st.lists(_KINDS, max_size=5),
        limit=st.sampled_from((2, 5, 100)),
    )
    def schedule(self, wave: str, more: list[int], limit: int) -> None:
        """Upload the rows of a wave and some more, and put its config into `scheduled/`."""
        self.rows[wave] += [_ROWS[kind] for kind in more]
        self.limits[wave] = max(limit, self.limits[wave])
        self.versions += 1
        self.world.upload(wave, self.rows[wave])
        fields = {"totalLimit": limit, "version": self.versions} | dict(_WAVES[wave])
        self.world.schedule(wave, **fields)

    @rule(wave=st.sampled_from(sorted(_WAVES)), more=st.lists(_KINDS, min_size=3))
    def start(self, wave: str, more: list[int]) -> None:
        """Schedule a wave, and have it started."""
        self.schedule(wave, more, 100)
        self.tick(Fuse())

    @rule(wave=st.sampled_from(sorted(_WAVES)), barred=st.booleans())
    def change_minds(self, wave: str, barred: bool) -> None:
        """Let everybody in a wave opt out of texts, or in again, while it may be under way."""
        self.rows[wave] = [{**row, "doNotText": "yes" if barred else ""} for row in self.rows[wave]]
        self.world.upload(wave, self.rows[wave])

    @rule(minutes=st.sampled_from((1, 20, 300)))
    def wait(self, minutes: int) -> None:
        """Let time pass."""
        self.world.clock.advance(timedelta(minutes=minutes))

    @rule(fault=st.sampled_from(_FAULTS), times=st.integers(1, 5), answer_lost=st.booleans())
    def trouble(self, fault: RetryLater, times: int, answer_lost: bool) -> None:
        """Let the next texts fail, before or after they are accepted."""
        self.world.sms.faults.fail_next(fault, times=times, answer_lost=answer_lost)

    @rule(fuse=_fuses(calls=12))
    def tick(self, fuse: Fuse) -> None:
        """Run the scheduler."""
        report = self._disturbed(self.world.tick, fuse)
        assert report is None or not report.imbalances
        self._notice_executions()

    @precondition(lambda self: self.executions)
    @rule(
        choice=st.integers(0, 3),
        fuse=_fuses(calls=40),
        seconds=st.sampled_from((60.5, 61.5, 63.0, 1e9)),
    )
    def step(self, choice: int, fuse: Fuse, seconds: float) -> None:
        """Call the sender for one execution; after three failures it is given up."""
        execution = self.executions[choice % len(self.executions)]
        ends = self.world.clock.now() + timedelta(seconds=seconds)
        deadline = CountdownDeadline(self.world.clock, ends)
        self._step(execution, fuse, deadline=deadline)

    def _step(self, execution: _Execution, fuse: Fuse, **conditions: Any) -> None:
        request = {"version": execution.version, **execution.request, **conditions}
        send = partial(self.world.send, execution.key, **request)
        self._after(execution, self._disturbed(send, fuse))

    def _notice_executions(self) -> None:
        started = self.world.workflow.executions()
        for _, payload, _ in started[self.noticed :]:
            self.executions.append(_Execution(key=payload["configKey"], version=payload["version"]))
        self.noticed = len(started)

    def _disturbed(self, run: Callable[[], Report], fuse: Fuse) -> Report | None:
        self.world.wrap = fuse.wrap
        try:
            return run()
        except (CampaignError, Killed):
            return None
        finally:
            self.world.wrap = lambda port: port

    def _after(self, execution: _Execution, report: Report | None) -> None:
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
    def nobody_hears_twice(self) -> None:
        """No registrant is both texted and written to, and nobody else hears at all."""
        texted = [text.message.message_id for text in self.world.texts()]
        assert len(texted) == len(set(texted))
        written = set(self.world.emails())
        assert written.isdisjoint(texted)
        assert {*written, *texted} <= {id_ for wave in _WAVES for id_ in self._ids(wave)}

    @invariant()
    def no_wave_exceeds_its_limit(self) -> None:
        """Of each wave no more than the highest limit that it ever had hear anything."""
        heard = {text.message.message_id for text in self.world.texts()} | set(self.world.emails())
        for wave in _WAVES:
            assert len(heard & self._ids(wave)) <= self.limits[wave]

    @invariant()
    def texts_keep_to_rates_and_hours(self) -> None:
        """No second has more texts of a wave than its rate, and no night any."""
        for wave, fields in _WAVES.items():
            times = [text.accepted for text in self.world.texts() if text.message.group == wave]
            if rate := fields.get("rate"):
                # The outbox writes times in whole milliseconds.
                second = timedelta(milliseconds=999)
                assert all(b - a >= second for a, b in zip(times, times[rate:], strict=False))
            if "textingHours" in fields:
                assert all(9 <= at.astimezone(_NEW_YORK).hour < 21 for at in times)

    def teardown(self) -> None:
        """In the end everybody hears: each wave is scheduled once more, at noon, and completes."""
        self.world.sms.faults = Faults()
        noon = self.world.clock.now().astimezone(_NEW_YORK).replace(hour=12, minute=0)
        self.world.clock.advance(noon + timedelta(days=1) - self.world.clock.now())
        for wave in _WAVES:
            self.schedule(wave, [], 100)
        for _ in range(_ROUNDS):
            self.tick(Fuse())
            for execution in list(self.executions):
                self._step(execution, Fuse())
            if not self.executions:
                break
        assert not self.executions
        for wave in _WAVES:
            assert self.world.states(wave) == [WaveState.COMPLETED]
            self._everybody_heard(wave)
        self.nobody_hears_twice()
        self.texts_keep_to_rates_and_hours()

    def _everybody_heard(self, wave: str) -> None:
        report = self.world.send(wave_config_key(wave, WaveState.SCHEDULED))
        texted = {text.message.message_id for text in self.world.texts()} & self._ids(wave)
        written = set(self.world.emails()) & self._ids(wave)
        assert not report.imbalances
        assert report.counts["total"] == len(self.rows[wave])
        assert report.counts["sms"] <= len(texted)
        assert report.counts["email"] <= len(written)
        # Whoever opts out while an outcome is open counts as failed, and may have heard.
        heard = len(texted) + len(written)
        assert 0 <= heard - report.counts["ok"] <= report.counts["failed"]
        assert not report.counts["unsettled"]

    def _ids(self, wave: str) -> set[str]:
        return {
            message_id(wave, Registrant.read(row, 1))
            for row in self.rows[wave]
            if row["globalUserId"]
        }
