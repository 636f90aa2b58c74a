"""A wave over HTTP to an SMS service that loses responses, is busy and fails."""

from collections import Counter
from typing import Any, Final

from campaign_workers.adapters.http.sms import HttpSmsService
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage.layout import WaveState
from campaign_workers.domain.waves.files import Registrant
from campaign_workers.domain.waves.notifications import message_id
from campaign_workers.doubles import Doubles, Fault, FaultKind, ServiceFakes
from campaign_workers.testing.machines.wave_world import DEAD_ENDING, WaveWorld, registrant
from tests.contracts.http_worlds import Server, secrets

FANS: Final = 5_000
MAX_CALLS: Final = 20
FAULTS: Final = {
    Fault(FaultKind.ANSWER_LOST): 0.20,
    Fault(FaultKind.TOO_MANY, 1): 0.05,
    Fault(FaultKind.ERROR, 500): 0.025,
    Fault(FaultKind.ERROR, 503): 0.025,
}


def fan(number: int) -> dict[str, str]:
    """Return a registrant: every 50th number is refused, every 100th fan opted out of texts."""
    phone = (
        f"+1212{3_000_000 + number}" if number % 50 else f"+1212{4_000 + number // 50}{DEAD_ENDING}"
    )
    return registrant(number, mobileNumber=phone, doNotText="yes" if number % 100 == 1 else "")


def send_until_complete(world: WaveWorld, key: str) -> tuple[Report, int]:
    """Call the sender until the wave is complete; return the last report and the calls."""
    for calls in range(1, MAX_CALLS):
        try:
            return world.send(key), calls
        except RetryLater:
            continue
    raise AssertionError("the wave does not complete")


def test_every_fan_is_notified_once_despite_faults(http_server: Server) -> None:
    """With 20% of the responses lost and 10% of the attempts failed, each fan is notified once."""
    behind = WaveWorld()
    doubles = Doubles(ServiceFakes.over(behind.tables, behind.clock, dead_endings=(DEAD_ENDING,)))
    doubles.faults.inject_shares(FAULTS, services=["sms"], seed="bad day")
    sms = HttpSmsService(f"{http_server.add(doubles)}/sms", secrets(), behind.clock)
    behind.wrap = lambda port: sms if port is behind.sms else port
    behind.upload("wave1", [fan(number) for number in range(FANS)])
    report, calls = send_until_complete(behind, behind.schedule("wave1", totalLimit=FANS))

    cells = [fan(number) for number in range(FANS)]
    rows = {message_id("wave1", Registrant.parse(row, 0)): row for row in cells}
    texted = Counter(text.message.phone for text in behind.texts())
    by_text = {text.message.message_id for text in behind.texts()}
    by_email = set(behind.emails())
    assert max(texted.values()) == 1
    assert by_text | by_email == set(rows)
    assert not by_text & by_email
    assert by_email == {
        key for key, row in rows.items() if row["doNotText"] or row["mobileNumber"].endswith("999")
    }
    assert ledger(behind) == {
        **dict.fromkeys(by_text, ("sent", "sms")),
        **dict.fromkeys(by_email, ("sent", "email")),
    }
    counts = report.counts
    assert (counts["total"], counts["ok"], counts["failed"]) == (FANS, FANS, 0)
    assert (counts["sms"], counts["email"]) == (len(by_text), len(by_email))
    assert behind.states("wave1") == [WaveState.COMPLETED]
    injected = doubles.faults.counts()["sms"]
    assert injected["answer-lost"] > 0.18 * FANS
    assert min(injected["too-many"], injected["error"]) > 0.04 * FANS
    assert calls > 1


def ledger(world: WaveWorld) -> dict[str, tuple[Any, Any]]:
    """Return the state and channel of each delivery in the ledger."""
    return {
        key.rpartition("/")[2]: (row["state"], row["channel"])
        for key, row in world.tables("deliveries").scan()
    }
