"""Client of the user service, as documented in `schemas/openapi/user.yaml`."""

from collections.abc import Collection, Mapping
from typing import Final

from campaign_workers.adapters.http._client.client import BlockingClient
from campaign_workers.adapters.http._client.requests import unique_batches
from campaign_workers.adapters.http._client.responses import UserIdsResponse

MAX_USERS: Final = 1_000


class HttpUserService(BlockingClient):
    """Serves `UserService`."""

    name = "user"

    def user_ids(self, global_user_ids: Collection[str]) -> Mapping[str, str]:
        """See `UserService.user_ids`."""
        found: dict[str, str] = {}
        for batch in unique_batches(global_user_ids, MAX_USERS):
            request = self._search("/users/search", {"globalUserIds": batch})
            response = self._fetch(UserIdsResponse, request)
            found |= {row.global_user_id: row.user_id for row in response.users}
        return found
