"""Who is which user: the user service."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from campaign_workers.adapters.fakes.faults import Faults, may_fail
from campaign_workers.adapters.fakes.tables import Tables


class FakeUserService:
    """Serves `UserService`; registrations tell it which global user id is which user."""

    def __init__(self, tables: Tables, *, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._users = tables("users")

    def put(self, global_user_id: str, user_id: str) -> None:
        """Keep the user id of a global user id until a registration says otherwise."""
        self._users.put(global_user_id, {"userId": user_id, "stamp": []})

    def learn(self, sightings: Iterable[tuple[str, str, list[Any]]]) -> None:
        """Keep (global user id, user id, stamp) triples; the largest stamp of a user stays."""
        rows: dict[str, dict[str, Any]] = {}
        for global_user_id, user_id, stamp in sightings:
            known = rows.get(global_user_id)
            if known is None or known["stamp"] < stamp:
                rows[global_user_id] = {"userId": user_id, "stamp": stamp}
        kept = self._users.get_many(rows)
        self._users.put_many(
            (key, row)
            for key, row in rows.items()
            if key not in kept or kept[key]["stamp"] < row["stamp"]
        )

    @may_fail
    def user_ids(self, global_user_ids: Collection[str]) -> Mapping[str, str]:
        """See `UserService.user_ids`."""
        rows = self._users.get_many(global_user_ids)
        return {fan: row["userId"] for fan, row in rows.items()}
