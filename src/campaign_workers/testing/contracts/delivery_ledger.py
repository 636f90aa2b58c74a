"""What every delivery ledger promises."""

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

    def test_what_nobody_claimed_is_claimed(self, ledger: DeliveryLedger) -> None:
        """A claim returns every delivery that it asked for, claimed."""
        claimed = ledger.claim("wave", ["m1", "m2"], now=NOW)
        assert claimed == {"m1": CLAIMED, "m2": attrs.evolve(CLAIMED, message_id="m2")}

    def test_claiming_again_shows_what_is_there(self, ledger: DeliveryLedger) -> None:
        """A second claim changes nothing; what is settled is returned as it was settled."""
        ledger.claim("wave", ["m1"], now=NOW)
        assert ledger.claim("wave", ["m1", "m1"], now=NOW) == {"m1": CLAIMED}
        ledger.settle("wave", TEXTED, now=NOW)
        assert ledger.claim("wave", ["m1"], now=NOW + timedelta(days=300)) == {"m1": TEXTED}

    def test_a_claim_keeps_how_it_is_meant_to_go(self, ledger: DeliveryLedger) -> None:
        """The first claim decides on the channel; later claims and reads show it."""
        meant = attrs.evolve(CLAIMED, channel=Channel.EMAIL)
        assert ledger.claim("wave", ["m1"], now=NOW, channel=Channel.EMAIL) == {"m1": meant}
        assert ledger.claim("wave", ["m1"], now=NOW, channel=Channel.SMS) == {"m1": meant}
        assert ledger.claim("wave", ["m1"], now=NOW) == ledger.read("wave", ["m1"]) == {"m1": meant}

    @pytest.mark.parametrize("outcome", [TEXTED, MAILED, FAILED], ids=str)
    def test_an_outcome_replaces_what_was_meant(
        self, ledger: DeliveryLedger, outcome: Delivery
    ) -> None:
        """A delivery goes by whatever channel it went, or by none, whichever was meant."""
        ledger.claim("wave", ["m1"], now=NOW, channel=Channel.SMS)
        for _ in range(2):
            ledger.settle("wave", outcome, now=NOW)
        assert ledger.read("wave", ["m1"]) == {"m1": outcome}

    def test_reading_claims_nothing(self, ledger: DeliveryLedger) -> None:
        """Only claimed deliveries are read, and reading makes none."""
        ledger.claim("wave", ["m1"], now=NOW)
        for _ in range(2):
            assert ledger.read("wave", ["m1", "m2"]) == {"m1": CLAIMED}
        assert ledger.read("wave", []) == {}

    @pytest.mark.parametrize("outcome", [TEXTED, MAILED, FAILED], ids=str)
    def test_an_outcome_is_kept(self, ledger: DeliveryLedger, outcome: Delivery) -> None:
        """A claimed delivery is settled once; the same outcome again is as once."""
        ledger.claim("wave", ["m1"], now=NOW)
        for later in (NOW, NOW + timedelta(hours=1)):
            ledger.settle("wave", outcome, now=later)
        assert ledger.read("wave", ["m1"]) == {"m1": outcome}

    @pytest.mark.parametrize("other", [CLAIMED, MAILED, FAILED], ids=str)
    def test_an_outcome_never_changes(self, ledger: DeliveryLedger, other: Delivery) -> None:
        """What is settled cannot be settled otherwise."""
        ledger.claim("wave", ["m1"], now=NOW)
        ledger.settle("wave", TEXTED, now=NOW)
        with pytest.raises(Conflict):
            ledger.settle("wave", other, now=NOW)
        assert ledger.read("wave", ["m1"]) == {"m1": TEXTED}

    def test_what_was_never_claimed_cannot_be_settled(self, ledger: DeliveryLedger) -> None:
        """An outcome needs a claim before it."""
        with pytest.raises(Conflict):
            ledger.settle("wave", TEXTED, now=NOW)
        assert ledger.read("wave", ["m1"]) == {}

    def test_waves_do_not_see_each_other(self, ledger: DeliveryLedger) -> None:
        """The same message id in two waves is two deliveries; no character makes them one."""
        ledger.claim("wave", ["a/m1", "m1"], now=NOW)
        assert ledger.read("wave/a", ["m1"]) == {}
        ledger.claim("other", ["m1"], now=NOW)
        ledger.settle("other", TEXTED, now=NOW)
        assert ledger.read("wave", ["m1"]) == {"m1": CLAIMED}

    def test_many_are_claimed_at_once(self, ledger: DeliveryLedger) -> None:
        """A few hundred ids are claimed in one call, the settled ones among them as they are."""
        ledger.claim("wave", ["m1"], now=NOW)
        ledger.settle("wave", TEXTED, now=NOW)
        ids = [f"m{number}" for number in range(300)]
        states = [delivery.state for delivery in ledger.claim("wave", ids, now=NOW).values()]
        assert states.count(DeliveryState.CLAIMED) == 299
        assert ledger.read("wave", ids)["m1"] == TEXTED

    def test_rivals_leave_one_outcome(self, ledger: DeliveryLedger) -> None:
        """Of workers that settle one delivery differently at the same time one prevails."""

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
    def test_an_outage_asks_for_another_try(
        self, ledger: DeliveryLedger, outage: Outage, call: str
    ) -> None:
        """While the ledger fails the work is given back."""
        ledger.claim("wave", ["m1"], now=NOW)
        with outage(), pytest.raises(RetryLater):
            CALLS[call](ledger)
        CALLS[call](ledger)
