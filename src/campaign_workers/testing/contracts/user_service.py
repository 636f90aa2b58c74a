"""Contract of `UserService`."""

from collections.abc import Callable

import pytest

from campaign_workers.domain.errors import RetryLater
from campaign_workers.ports.user_service import UserService
from campaign_workers.testing.contracts._base import Contract, Outage

Plant = Callable[[str, str], object]


class UserServiceContract(Contract):
    """Fixtures: `service`; `plant`, which stores the user id of a global user id; `outage`."""

    def test_users_are_looked_up(self, service: UserService, plant: Plant) -> None:
        """Known users are returned; unknown ones are omitted."""
        plant("g1", "u1")
        plant("g2", "u2")
        assert service.user_ids(["g2", "g1", "g9"]) == {"g1": "u1", "g2": "u2"}
        assert service.user_ids(["g9"]) == {}

    def test_no_ids_is_no_error(self, service: UserService) -> None:
        """An empty request has an empty result."""
        assert service.user_ids([]) == {}

    def test_duplicate_ids_are_returned_once(self, service: UserService, plant: Plant) -> None:
        """The result has each user once, even if the request repeats the id."""
        plant("g1", "u1")
        assert service.user_ids(["g1", "g1"]) == {"g1": "u1"}

    def test_many_users_at_once(self, service: UserService, plant: Plant) -> None:
        """A few hundred users are looked up in one call."""
        for number in range(300):
            plant(f"g{number}", f"u{number}")
        expected = {f"g{number}": f"u{number}" for number in range(300)}
        assert service.user_ids(expected) == expected

    def test_an_outage_raises_retry_later(self, service: UserService, outage: Outage) -> None:
        """While the service fails, calls raise `RetryLater`; afterwards they succeed."""
        with outage(), pytest.raises(RetryLater):
            service.user_ids(["g1"])
