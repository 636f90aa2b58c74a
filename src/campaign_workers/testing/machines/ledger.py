"""State machine that compares a delivery ledger with a dictionary."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from campaign_workers.domain.errors import Conflict
from campaign_workers.ports.tables import Channel, Delivery, DeliveryLedger, DeliveryState

WAVES = ("wave1", "wave2")
IDS = tuple(f"m{number}" for number in range(4))
OUTCOMES = (
    (DeliveryState.SENT, Channel.SMS),
    (DeliveryState.SENT, Channel.EMAIL),
    (DeliveryState.FAILED, None),
)

waves = st.sampled_from(WAVES)
message_ids = st.sampled_from(IDS)


class LedgerMachine(RuleBasedStateMachine):
    """Calls of a ledger in any order; subclasses override `start`, `TestCase` is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = self.start()
        self.model: dict[tuple[str, str], Delivery] = {}
        self.now = datetime(2026, 10, 5, 15, tzinfo=UTC)

    def start(self) -> DeliveryLedger:
        """Return a new, empty ledger."""
        raise NotImplementedError

    @rule(wave=waves, ids=st.lists(message_ids))
    def claim(self, wave: str, ids: Sequence[str]) -> None:
        for message_id in ids:
            fresh = Delivery(message_id=message_id, state=DeliveryState.CLAIMED)
            self.model.setdefault((wave, message_id), fresh)
        expected = {message_id: self.model[wave, message_id] for message_id in ids}
        assert self.ledger.claim(wave, ids, now=self.now) == expected

    @rule(wave=waves, message_id=message_ids, outcome=st.sampled_from(OUTCOMES))
    def settle(
        self, wave: str, message_id: str, outcome: tuple[DeliveryState, Channel | None]
    ) -> None:
        delivery = Delivery(message_id=message_id, state=outcome[0], channel=outcome[1])
        known = self.model.get((wave, message_id))
        allowed = known is not None and (known.state is DeliveryState.CLAIMED or known == delivery)
        try:
            self.ledger.settle(wave, delivery, now=self.now)
        except Conflict:
            assert not allowed
        else:
            assert allowed
            self.model[wave, message_id] = delivery

    @rule(days=st.integers(1, 200))
    def wait(self, days: int) -> None:
        if self.now.year == 2026:
            self.now += timedelta(days=days)

    @invariant()
    def ledger_equals_model(self) -> None:
        for wave in WAVES:
            known = {
                message_id: delivery
                for (its_wave, message_id), delivery in self.model.items()
                if its_wave == wave
            }
            assert self.ledger.read(wave, IDS) == known
