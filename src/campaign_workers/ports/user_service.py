"""Port of the user service."""

from collections.abc import Collection, Mapping
from typing import Protocol


class UserService(Protocol):
    """Looks up ids of users."""

    def user_ids(self, global_user_ids: Collection[str]) -> Mapping[str, str]:
        """Return user ids by global user id, without unknown users.

        Raises:
            RetryLater: the service fails.
        """
        ...
