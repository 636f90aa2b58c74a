"""Port of the user service."""

from collections.abc import Collection, Mapping
from typing import Protocol


class UserService(Protocol):
    """Ids of users."""

    def user_ids(self, global_user_ids: Collection[str]) -> Mapping[str, str]:
        """User ids by global user id; unknown users are left out.

        Raises:
            RetryLater: the service fails.
        """
        ...
