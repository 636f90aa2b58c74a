"""Kill a worker at every port call, run it again, and compare with a clean run."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Literal

import attrs

Side = Literal["before", "after"]


class Killed(BaseException):
    """Simulates the end of the process; workers cannot catch it as an error."""


@attrs.define
class KillSwitch:
    """Counts port calls and raises `Killed` at call number `at`, before or after it takes effect.

    Once fired, it raises at every further call, because the process is gone.
    """

    at: int | None = None
    side: Side = "before"
    calls: int = 0
    fired: bool = False

    def wrap(self, port: Any) -> Any:
        """Return a proxy of `port` in which each public method counts as a call."""
        return _PortProxy(port, self)

    def check(self, side: Side) -> None:
        """Raise if the switch fires at this side of the current call.

        Raises:
            Killed: it fires, or has fired.
        """
        if self.fired or (self.calls == self.at and self.side == side):
            self.fired = True
            raise Killed


class _PortProxy:
    def __init__(self, port: Any, switch: KillSwitch) -> None:
        self._port, self._switch = port, switch

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if name.startswith("_") or not callable(member):
            return member
        return (
            _wrap_coroutine(member, self._switch)
            if inspect.iscoroutinefunction(member)
            else _wrap_call(member, self._switch)
        )


def _wrap_call(call: Callable[..., Any], switch: KillSwitch) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        switch.calls += 1
        switch.check("before")
        result = call(*args, **kwargs)
        switch.check("after")
        return result

    return wrapper


def _wrap_coroutine(call: Callable[..., Any], switch: KillSwitch) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        switch.calls += 1
        switch.check("before")
        result = await call(*args, **kwargs)
        switch.check("after")
        return result

    return wrapper


@attrs.frozen
class CrashCase:
    """A fresh environment: `run` runs the worker once, `snapshot` returns its visible effects."""

    run: Callable[[], object]
    snapshot: Callable[[], object]


def assert_survives_every_kill(build: Callable[[Callable[[Any], Any]], CrashCase]) -> int:
    """Kill the worker before and after each port call and compare each rerun with a clean run.

    Args:
        build: Returns a fresh case. It must pass every port of the worker through the function
            that it receives.

    Returns:
        The number of kills, so that a caller can assert that there were some.

    Raises:
        AssertionError: the snapshot after a kill and a rerun differs from that of a clean run.
    """
    counter = KillSwitch()
    clean = build(counter.wrap)
    clean.run()
    expected = clean.snapshot()
    kills = 0
    for at, side in _points(counter.calls):
        switch = KillSwitch(at=at, side=side)
        case = build(switch.wrap)
        try:
            case.run()
        except Killed:
            kills += 1
        switch.at, switch.fired = None, False
        case.run()
        assert case.snapshot() == expected, f"killed {side} call {at} of {counter.calls}"
    return kills


def _points(calls: int) -> Iterator[tuple[int, Side]]:
    for at in range(1, calls + 1):
        yield at, "before"
        yield at, "after"
