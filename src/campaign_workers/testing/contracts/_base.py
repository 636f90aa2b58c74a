"""What the suites of all ports have in common."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import ClassVar, TypeVar

import pytest

from campaign_workers.domain.errors import CampaignError

_T = TypeVar("_T")


class Contract:
    """Tests that every adapter of one port passes unchanged.

    A suite says which `port` it is about and which fixture (`subject`) gives the adapter. Whoever
    holds an adapter to it inherits the suite, names the `adapter` class, and supplies the fixture
    and the hooks that the suite asks for; tests can be added, but not replaced or taken away.
    """

    port: ClassVar[type]
    subject: ClassVar[str]
    adapter: ClassVar[type]

    def __init_subclass__(cls) -> None:
        """Refuse a class that replaces a test.

        Raises:
            TypeError: it does; the message names the tests.
        """
        super().__init_subclass__()
        inherited = {name for base in cls.__mro__[1:] for name in vars(base)}
        if weakened := sorted(n for n in vars(cls).keys() & inherited if n.startswith("test_")):
            raise TypeError(f"{cls.__name__} replaces tests of its contract: {weakened}")

    def test_it_is_the_adapter_that_is_held(self, request: pytest.FixtureRequest) -> None:
        """The fixture gives the adapter that the class names, and nothing that stands before it."""
        assert type(request.getfixturevalue(self.subject)) is self.adapter


def race(*calls: Callable[[], _T]) -> list[_T | CampaignError]:
    """What each of `calls` returns or raises, when threads make them at the same moment."""
    start = Barrier(len(calls))

    def run(call: Callable[[], _T]) -> _T | CampaignError:
        start.wait()
        try:
            return call()
        except CampaignError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
