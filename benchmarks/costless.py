"""Neighbours that cost nothing, so that what is measured is the worker's own time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from campaign_workers.domain.codes import Assignment, AssignmentOutcome, AssignmentResult
from campaign_workers.ports.tables import Channel, Delivery, DeliveryState

_UPDATED = AssignmentResult(outcome=AssignmentOutcome.UPDATED)


class Sink:
    """A stream, or a queue, that takes everything."""

    def put(self, records: Iterable[tuple[str, bytes]]) -> int:
        return sum(1 for _ in records)

    def send(self, bodies: Iterable[str]) -> int:
        return sum(1 for _ in bodies)


class Entries:
    """An entry service that gives everybody the code that is asked for."""

    def assign_codes(self, _: str, assignments: Sequence[Assignment]) -> Sequence[AssignmentResult]:
        return [_UPDATED] * len(assignments)


class Demand:
    """A demand table without a memory."""

    def select(self, *_: object) -> None:
        pass


class Users:
    """A user service that knows everybody."""

    def user_ids(self, global_user_ids: Collection[str]) -> Mapping[str, str]:
        return {each: f"u-{each}" for each in global_user_ids}


class Texts:
    """An SMS service that takes every text."""

    async def send(self, _: Any) -> None:
        pass


class Ledger:
    """A delivery ledger to which everybody is new."""

    def claim(
        self, _: str, message_ids: Sequence[str], *, channel: Channel, **__: object
    ) -> Mapping[str, Delivery]:
        state = DeliveryState.CLAIMED
        return {
            each: Delivery(message_id=each, state=state, channel=channel) for each in message_ids
        }

    def settle(self, *_: object, **__: object) -> None:
        pass
