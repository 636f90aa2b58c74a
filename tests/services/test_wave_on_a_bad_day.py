"""A wave over HTTP, to a service that loses answers, is busy and fails."""

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
MOST_CALLS: Final = 20
BAD_DAY: Final = {
    Fault(FaultKind.ANSWER_LOST): 0.20,
    Fault(FaultKind.TOO_MANY, 1): 0.05,
    Fault(FaultKind.ERROR, 500): 0.025,
    Fault(FaultKind.ERROR, 503): 0.025,
}


def fan(number: int) -> dict[str, str]:
    """A registrant: each fiftieth number is dead, each hundredth fan wants no text."""
    phone = (
        f"+1212{3_000_000 + number}" if number % 50 else f"+1212{4_000 + number // 50}{DEAD_ENDING}"
    )
    return registrant(number, mobileNumber=phone, doNotText="yes" if number % 100 == 1 else "")


def sent_to_the_end(world: WaveWorld, key: str) -> tuple[Report, int]:
    """The last report of a wave that is called again as long as it asks for it, and the calls."""
    for calls in range(1, MOST_CALLS):
        try:
            return world.send(key), calls
        except RetryLater:
            continue
    raise AssertionError("the wave does not come to its end")


def test_everybody_hears_once_on_a_bad_day(http_server: Server) -> None:
    """With a fifth of the answers lost and a tenth of the tries failed, each fan hears once."""
    behind = WaveWorld()
    doubles = Doubles(ServiceFakes.over(behind.tables, behind.clock, dead_endings=(DEAD_ENDING,)))
    doubles.faults.inject_shares(BAD_DAY, services=["sms"], seed="bad day")
    sms = HttpSmsService(f"{http_server.add(doubles)}/sms", secrets(), behind.clock)
    behind.wrap = lambda port: sms if port is behind.sms else port
    behind.upload("wave1", [fan(number) for number in range(FANS)])
    report, calls = sent_to_the_end(behind, behind.schedule("wave1", totalLimit=FANS))

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
    struck = doubles.faults.counts()["sms"]
    assert struck["answer-lost"] > 0.18 * FANS
    assert min(struck["too-many"], struck["error"]) > 0.04 * FANS
    assert calls > 1


def ledger(world: WaveWorld) -> dict[str, tuple[Any, Any]]:
    """What the ledger says became of each registrant."""
    return {
        key.rpartition("/")[2]: (row["state"], row["channel"])
        for key, row in world.tables("deliveries").scan()
    }
