"""Kill a worker at every port call, run it again, and compare with one clean run."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Literal

import attrs

Side = Literal["before", "after"]


class Killed(BaseException):
    """The process ended here; no worker can catch it by catching errors."""


@attrs.define
class Fuse:
    """Counts port calls and kills the run at one of them."""

    at: int | None = None
    side: Side = "before"
    calls: int = 0
    burnt: bool = False

    def wrap(self, port: Any) -> Any:
        """`port`, each public method of which counts as one call."""
        return _Fused(port, self)

    def reached(self, side: Side) -> None:
        """Die if this is the call, and this the side of it."""
        if self.burnt or (self.calls == self.at and self.side == side):
            self.burnt = True
            raise Killed


class _Fused:
    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if name.startswith("_") or not callable(member):
            return member
        return (
            _fused_coroutine(member, self._fuse)
            if inspect.iscoroutinefunction(member)
            else _fused_call(member, self._fuse)
        )


def _fused_call(call: Callable[..., Any], fuse: Fuse) -> Callable[..., Any]:
    def fused(*args: Any, **kwargs: Any) -> Any:
        fuse.calls += 1
        fuse.reached("before")
        answer = call(*args, **kwargs)
        fuse.reached("after")
        return answer

    return fused


def _fused_coroutine(call: Callable[..., Any], fuse: Fuse) -> Callable[..., Any]:
    async def fused(*args: Any, **kwargs: Any) -> Any:
        fuse.calls += 1
        fuse.reached("before")
        answer = await call(*args, **kwargs)
        fuse.reached("after")
        return answer

    return fused


@attrs.frozen
class Scene:
    """A fresh world: `run` runs the worker once, `snapshot` tells all that it can see after."""

    run: Callable[[], object]
    snapshot: Callable[[], object]


def assert_survives_every_kill(build: Callable[[Callable[[Any], Any]], Scene]) -> int:
    """Kill the worker before and after each port call; each rerun must end as one clean run.

    `build` makes a fresh scene, passing every port that the worker gets through the function it
    is given. Returns the number of kills, so that a caller can assert that there were some.

    Raises:
        AssertionError: after some kill and a second run the world differs from a clean run's.
    """
    count = Fuse()
    clean = build(count.wrap)
    clean.run()
    expected = clean.snapshot()
    kills = 0
    for at, side in _points(count.calls):
        fuse = Fuse(at=at, side=side)
        scene = build(fuse.wrap)
        try:
            scene.run()
        except Killed:
            kills += 1
        fuse.at, fuse.burnt = None, False
        scene.run()
        assert scene.snapshot() == expected, f"killed {side} call {at} of {count.calls}"
    return kills


def _points(calls: int) -> Iterator[tuple[int, Side]]:
    for at in range(1, calls + 1):
        yield at, "before"
        yield at, "after"
