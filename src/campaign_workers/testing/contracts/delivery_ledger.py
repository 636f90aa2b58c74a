"""Contract of `DeliveryLedger`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from campaign_workers.domain.errors import Conflict, RetryLater
from campaign_workers.ports.tables import Channel, Delivery, DeliveryLedger, DeliveryState
from campaign_workers.testing.contracts._base import Contract, Outage

NOW = datetime(2026, 10, 5, 15, tzinfo=UTC)
CLAIMED = Delivery(message_id="m1", state=DeliveryState.CLAIMED)
TEXTED = Delivery(message_id="m1", state=DeliveryState.SENT, channel=Channel.SMS)
MAILED = Delivery(message_id="m1", state=DeliveryState.SENT, channel=Channel.EMAIL)
FAILED = Delivery(message_id="m1", state=DeliveryState.FAILED)

CALLS: dict[str, Callable[[DeliveryLedger], object]] = {
    "claim": lambda ledger: ledger.claim("wave", ["m1"], now=NOW),
    "read": lambda ledger: ledger.read("wave", ["m1"]),
    "settle": lambda ledger: ledger.settle("wave", TEXTED, now=NOW),
}


class DeliveryLedgerContract(Contract):
    """Fixtures: `ledger`; `outage`."""

    def test_new_deliveries_are_claimed(self, ledger: DeliveryLedger) -> None:
        """A claim returns every requested delivery as claimed."""
        claimed = ledger.claim("wave", ["m1", "m2"], now=NOW)
        assert claimed == {"m1": CLAIMED, "m2": attrs.evolve(CLAIMED, message_id="m2")}

    def test_a_repeated_claim_returns_the_current_state(self, ledger: DeliveryLedger) -> None:
        """A second claim changes nothing and returns settled deliveries as settled."""
        ledger.claim("wave", ["m1"], now=NOW)
        assert ledger.claim("wave", ["m1", "m1"], now=NOW) == {"m1": CLAIMED}
        ledger.settle("wave", TEXTED, now=NOW)
        assert ledger.claim("wave", ["m1"], now=NOW + timedelta(days=300)) == {"m1": TEXTED}

    def test_the_first_claim_sets_the_channel(self, ledger: DeliveryLedger) -> None:
        """The channel of the first claim is kept; later claims and reads return it."""
        meant = attrs.evolve(CLAIMED, channel=Channel.EMAIL)
        assert ledger.claim("wave", ["m1"], now=NOW, channel=Channel.EMAIL) == {"m1": meant}
        assert ledger.claim("wave", ["m1"], now=NOW, channel=Channel.SMS) == {"m1": meant}
        assert ledger.claim("wave", ["m1"], now=NOW) == ledger.read("wave", ["m1"]) == {"m1": meant}

    @pytest.mark.parametrize("outcome", [TEXTED, MAILED, FAILED], ids=str)
    def test_an_outcome_replaces_the_planned_channel(
        self, ledger: DeliveryLedger, outcome: Delivery
    ) -> None:
        """A settled delivery has its actual channel, or none."""
        ledger.claim("wave", ["m1"], now=NOW, channel=Channel.SMS)
        for _ in range(2):
            ledger.settle("wave", outcome, now=NOW)
        assert ledger.read("wave", ["m1"]) == {"m1": outcome}

    def test_reading_claims_nothing(self, ledger: DeliveryLedger) -> None:
        """Only claimed deliveries are returned, and reading creates none."""
        ledger.claim("wave", ["m1"], now=NOW)
        for _ in range(2):
            assert ledger.read("wave", ["m1", "m2"]) == {"m1": CLAIMED}
        assert ledger.read("wave", []) == {}

    @pytest.mark.parametrize("outcome", [TEXTED, MAILED, FAILED], ids=str)
    def test_an_outcome_is_kept(self, ledger: DeliveryLedger, outcome: Delivery) -> None:
        """A claimed delivery is settled once; a repeat of the outcome changes nothing."""
        ledger.claim("wave", ["m1"], now=NOW)
        for later in (NOW, NOW + timedelta(hours=1)):
            ledger.settle("wave", outcome, now=later)
        assert ledger.read("wave", ["m1"]) == {"m1": outcome}

    @pytest.mark.parametrize("other", [CLAIMED, MAILED, FAILED], ids=str)
    def test_an_outcome_never_changes(self, ledger: DeliveryLedger, other: Delivery) -> None:
        """A settled delivery cannot get another outcome."""
        ledger.claim("wave", ["m1"], now=NOW)
        ledger.settle("wave", TEXTED, now=NOW)
        with pytest.raises(Conflict):
            ledger.settle("wave", other, now=NOW)
        assert ledger.read("wave", ["m1"]) == {"m1": TEXTED}

    def test_an_unclaimed_delivery_cannot_be_settled(self, ledger: DeliveryLedger) -> None:
        """Settling requires a claim."""
        with pytest.raises(Conflict):
            ledger.settle("wave", TEXTED, now=NOW)
        assert ledger.read("wave", ["m1"]) == {}

    def test_waves_do_not_see_each_other(self, ledger: DeliveryLedger) -> None:
        """The same message id in two waves is two deliveries, whatever its characters."""
        ledger.claim("wave", ["a/m1", "m1"], now=NOW)
        assert ledger.read("wave/a", ["m1"]) == {}
        ledger.claim("other", ["m1"], now=NOW)
        ledger.settle("other", TEXTED, now=NOW)
        assert ledger.read("wave", ["m1"]) == {"m1": CLAIMED}

    def test_many_are_claimed_at_once(self, ledger: DeliveryLedger) -> None:
        """One call claims hundreds of ids and returns settled ones as settled."""
        ledger.claim("wave", ["m1"], now=NOW)
        ledger.settle("wave", TEXTED, now=NOW)
        ids = [f"m{number}" for number in range(300)]
        states = [delivery.state for delivery in ledger.claim("wave", ids, now=NOW).values()]
        assert states.count(DeliveryState.CLAIMED) == 299
        assert ledger.read("wave", ids)["m1"] == TEXTED

    def test_concurrent_outcomes_have_one_winner(self, ledger: DeliveryLedger) -> None:
        """If workers settle a delivery differently at the same time, one succeeds."""

        def attempt(outcome: Delivery) -> Delivery | None:
            ledger.claim("wave", ["m1"], now=NOW)
            try:
                ledger.settle("wave", outcome, now=NOW)
            except Conflict:
                return None
            return outcome

        with ThreadPoolExecutor(4) as pool:
            settled = {d for d in pool.map(attempt, [TEXTED, MAILED, FAILED] * 4) if d}
        assert settled == set(ledger.read("wave", ["m1"]).values())

    @pytest.mark.parametrize("call", CALLS)
    def test_an_outage_raises_retry_later(
        self, ledger: DeliveryLedger, outage: Outage, call: str
    ) -> None:
        """While the ledger fails, calls raise `RetryLater`; afterwards they succeed."""
        ledger.claim("wave", ["m1"], now=NOW)
        with outage(), pytest.raises(RetryLater):
            CALLS[call](ledger)
        CALLS[call](ledger)
