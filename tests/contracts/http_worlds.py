"""HTTP doubles of services: one server for many tests, a new world for each test."""

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
    """Return a token for every service."""
    return MemorySecrets({f"services/{service}/token": token for service in SERVICES})


@attrs.define
class Server:
    """A running server to which worlds are added."""

    url: str
    app: Starlette
    _numbers: "count[int]" = attrs.field(factory=lambda: count(1))

    def add(self, doubles: Doubles) -> str:
        """Add doubles to the server and return their URL."""
        return self.add_app(doubles.app)

    def add_app(self, app: ASGIApp) -> str:
        """Add an app to the server and return its URL."""
        place = f"/world-{next(self._numbers)}"
        self.app.router.routes.append(Mount(place, app=app))
        return self.url + place


@contextmanager
def run_server() -> Iterator[Server]:
    """Run a server without worlds during the context."""
    app = Starlette()
    with serve(app) as url:
        yield Server(url, app)


@attrs.frozen(kw_only=True)
class World:
    """The doubles of a test and their URL."""

    doubles: Doubles
    url: str
    clock: SteppedClock

    @property
    def behind(self) -> ServiceFakes:
        """The fakes behind the doubles."""
        return self.doubles.fakes

    def at(self, service: str) -> str:
        """Return the URL of a service."""
        return f"{self.url}/{service}"


@pytest.fixture(scope="module")
def http_server() -> Iterator[Server]:
    """Run a server to which each test of a module adds its world."""
    with run_server() as server:
        yield server


def world(server: Server, **refusals: Any) -> World:
    """Add a new world to a server."""
    clock = SteppedClock(CREATED)
    doubles = Doubles(ServiceFakes.over(DictTables(), clock, **refusals))
    return World(doubles=doubles, url=server.add(doubles), clock=clock)


class OverHttp:
    """Runs a contract over HTTP twice: without faults, and with all of them."""

    faults: ClassVar[dict[Fault, float]] = EVERY_FAULT
    refusals: ClassVar[dict[str, Any]] = {}

    @pytest.fixture(params=["no faults", "all faults"])
    def world(self, request: pytest.FixtureRequest, http_server: Server) -> World:
        """Return a new world for each test."""
        fresh = world(http_server, **self.refusals)
        if request.param != "no faults":
            fresh.doubles.faults.inject_shares(
                self.faults, seed=request.node.name, in_a_row=LIMITS.attempts - 1
            )
        return fresh
