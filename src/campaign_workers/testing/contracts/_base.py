"""What every contract suite is built on."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from hypothesis import HealthCheck, settings

Outage = Callable[[], AbstractContextManager[None]]
"""Makes everything behind the adapter fail for as long as the context lasts."""

examples_share_fixtures = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
"""For properties of adapters: each example names campaigns and waves of its own instead."""


class Contract:
    """Tests that every adapter of one port passes unchanged.

    A subclass gives the fixtures that the suite asks for, and no test.
    """

    def __init_subclass__(cls) -> None:
        """Refuse a subclass that replaces a test.

        Raises:
            TypeError: it does.
        """
        super().__init_subclass__()
        inherited = {
            name for base in cls.__mro__[1:] for name in vars(base) if name.startswith("test_")
        }
        if weakened := sorted(inherited & vars(cls).keys()):
            raise TypeError(f"{cls.__name__} overrides contract tests: {weakened}")
