"""The user service, as `schemas/openapi/user.yaml` documents it."""

from collections.abc import Collection, Mapping
from typing import Final

from campaign_workers.adapters.http._client.client import BlockingClient
from campaign_workers.adapters.http._client.requests import different
from campaign_workers.adapters.http._client.responses import FoundUsers

MOST_USERS: Final = 1_000


class HttpUserService(BlockingClient):
    """Serves `UserService`."""

    name = "user"

    def user_ids(self, global_user_ids: Collection[str]) -> Mapping[str, str]:
        """See `UserService.user_ids`."""
        found: dict[str, str] = {}
        for wanted in different(global_user_ids, MOST_USERS):
            answer = self._read(
                FoundUsers, self._search("/users/search", {"globalUserIds": wanted})
            )
            found |= {row.global_user_id: row.user_id for row in answer.users}
        return found
