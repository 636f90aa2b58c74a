"""Services of other teams on a real server: one server for many tests, a fresh world for each."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, ClassVar, Final

import attrs
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from campaign_workers.adapters.http._client.requests import HttpLimits
from campaign_workers.adapters.memory.system import MemorySecrets
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.doubles import LOCAL_TOKEN, Doubles, Fault, ServiceFakes, serve
from campaign_workers.doubles.documents import SERVICES
from campaign_workers.doubles.faults import FaultKind
from campaign_workers.testing.builders import CREATED

LIMITS: Final = HttpLimits(initial_backoff_seconds=0.002, max_backoff_seconds=1)
BEFORE: Final = {
    Fault(FaultKind.LATENCY, 0.005): 0.1,
    Fault(FaultKind.TOO_MANY, 0): 0.1,
    Fault(FaultKind.ERROR, 503): 0.1,
    Fault(FaultKind.ERROR, 500): 0.1,
    Fault(FaultKind.RESET): 0.1,
    Fault(FaultKind.DRIP, 0.001): 0.1,
}
AFTER: Final = {Fault(FaultKind.ANSWER_LOST): 0.1, Fault(FaultKind.GARBAGE): 0.1}
EVERY_FAULT: Final = BEFORE | AFTER


def secrets(token: str = LOCAL_TOKEN) -> MemorySecrets:
    """A token for every service."""
    return MemorySecrets({f"services/{service}/token": token for service in SERVICES})


@attrs.define
class Server:
    """A running server that worlds are added to."""

    url: str
    app: Starlette
    _numbers: "count[int]" = attrs.field(factory=lambda: count(1))

    def add(self, doubles: Doubles) -> str:
        """Serve other doubles too; their address."""
        return self.add_app(doubles.app)

    def add_app(self, app: ASGIApp) -> str:
        """Serve another app too; its address."""
        place = f"/world-{next(self._numbers)}"
        self.app.router.routes.append(Mount(place, app=app))
        return self.url + place


@contextmanager
def running() -> Iterator[Server]:
    """A server without a world."""
    app = Starlette()
    with serve(app) as url:
        yield Server(url, app)


@attrs.frozen(kw_only=True)
class World:
    """Doubles of a test, and their address."""

    doubles: Doubles
    url: str
    clock: SteppedClock

    @property
    def behind(self) -> ServiceFakes:
        """What is behind the doubles."""
        return self.doubles.fakes

    def at(self, service: str) -> str:
        """The address of a service."""
        return f"{self.url}/{service}"


@pytest.fixture(scope="module")
def http_server() -> Iterator[Server]:
    """A running server that each test of a module adds its world to."""
    with running() as server:
        yield server


def world(server: Server, **refusals: Any) -> World:
    """A fresh world on a server."""
    clock = SteppedClock(CREATED)
    doubles = Doubles(ServiceFakes.over(DictTables(), clock, **refusals))
    return World(doubles=doubles, url=server.add(doubles), clock=clock)


class OverHttp:
    """Runs a contract twice over HTTP: on a good day, and with every fault on."""

    faults: ClassVar[dict[Fault, float]] = EVERY_FAULT
    refusals: ClassVar[dict[str, Any]] = {}

    @pytest.fixture(params=["calm", "every fault"])
    def world(self, request: pytest.FixtureRequest, http_server: Server) -> World:
        """A world of its own for each test."""
        fresh = world(http_server, **self.refusals)
        if request.param != "calm":
            fresh.doubles.faults.inject_shares(
                self.faults, seed=request.node.name, in_a_row=LIMITS.attempts - 1
            )
        return fresh
