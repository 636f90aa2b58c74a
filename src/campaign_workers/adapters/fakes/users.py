"""Fake of the user service."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from campaign_workers.adapters.fakes.faults import Faults, may_fail
from campaign_workers.adapters.fakes.tables import Tables


class FakeUserService:
    """Serves `UserService` from registrations, which contain both ids of a user."""

    def __init__(self, tables: Tables, *, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._users = tables("users")

    def put(self, global_user_id: str, user_id: str) -> None:
        """Save the user id of a global user id until a registration replaces it."""
        self._users.put(global_user_id, {"userId": user_id, "stamp": []})

    def record(self, observations: Iterable[tuple[str, str, list[Any]]]) -> None:
        """Save (global user id, user id, stamp) triples; the largest stamp of a user wins."""
        rows: dict[str, dict[str, Any]] = {}
        for global_user_id, user_id, stamp in observations:
            current = rows.get(global_user_id)
            if current is None or current["stamp"] < stamp:
                rows[global_user_id] = {"userId": user_id, "stamp": stamp}
        stored = self._users.get_many(rows)
        self._users.put_many(
            (key, row)
            for key, row in rows.items()
            if key not in stored or stored[key]["stamp"] < row["stamp"]
        )

    @may_fail
    def user_ids(self, global_user_ids: Collection[str]) -> Mapping[str, str]:
        """See `UserService.user_ids`."""
        rows = self._users.get_many(global_user_ids)
        return {fan: row["userId"] for fan, row in rows.items()}
