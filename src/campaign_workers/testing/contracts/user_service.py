"""What every user service promises."""

from collections.abc import Callable

import pytest

from campaign_workers.domain.errors import RetryLater
from campaign_workers.ports.user_service import UserService
from campaign_workers.testing.contracts._base import Contract, Outage

Plant = Callable[[str, str], object]


class UserServiceContract(Contract):
    """Fixtures: `service`; `plant`, which gives a global user id its user id; `outage`."""

    def test_users_are_looked_up(self, service: UserService, plant: Plant) -> None:
        """Known users get their ids; unknown ones are left out."""
        plant("g1", "u1")
        plant("g2", "u2")
        assert service.user_ids(["g2", "g1", "g9"]) == {"g1": "u1", "g2": "u2"}
        assert service.user_ids(["g9"]) == {}

    def test_nobody_is_no_error(self, service: UserService) -> None:
        """No ids give no ids."""
        assert service.user_ids([]) == {}

    def test_an_id_asked_for_twice_comes_once(self, service: UserService, plant: Plant) -> None:
        """The answer has each user once, however often the question has."""
        plant("g1", "u1")
        assert service.user_ids(["g1", "g1"]) == {"g1": "u1"}

    def test_many_users_at_once(self, service: UserService, plant: Plant) -> None:
        """A few hundred users are looked up in one call."""
        for number in range(300):
            plant(f"g{number}", f"u{number}")
        expected = {f"g{number}": f"u{number}" for number in range(300)}
        assert service.user_ids(expected) == expected

    def test_an_outage_asks_for_another_try(self, service: UserService, outage: Outage) -> None:
        """While the service fails the work is given back."""
        with outage(), pytest.raises(RetryLater):
            service.user_ids(["g1"])
