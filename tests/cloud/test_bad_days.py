"""A deployed stack on bad days: everything twice, poison, failing systems, waves that take long."""

import json
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from io import BytesIO

import attrs
import pytest

from campaign_workers.adapters.avro.codec import AvroRecordCodec
from campaign_workers.domain.storage import layout
from campaign_workers.doubles import Fault
from campaign_workers.doubles.faults import FaultKind
from campaign_workers.workers.sms_wave_send.sender import Limits
from tests.cloud.outside import DATE_KEY, FIVE_MINUTES, PATIENCE_SECONDS, Outside, Row
from tests.cloud.small_functions import eventually
from tests.cloud.uploading import put_lines

POISONED = {"saveCampaignData": 3, "saveSelection": 1}
"""How many records that nobody can read each of them gets."""
SHUTDOWN_MARGIN_SECONDS = int(Limits().shutdown_margin_seconds)
CALL_SECONDS = 8
"""How long a call of smsWaveSend has for texts: time to begin on a busy machine, too."""
TRIES_OF_A_CALL = 4
"""How often a client of a service asks before it gives up."""


@attrs.define
class Doubled:
    """What there was after everything had been sent twice."""

    outside: Outside
    told: Counter[str]
    keys: Counter[str]
    fans: int
    picks: list[Row]


@pytest.fixture(scope="module")
def doubled(outside: Outside) -> Doubled:
    """Fans have registered twice, were scored twice, and are selected."""
    file = outside.up.uploads / "registrations.jsonl"
    registered = outside.register(file) + outside.register(file)
    outside.upload("market-details.csv", layout.market_details_key(outside.campaign_id, DATE_KEY))
    for times in (1, 2):
        outside.upload("scored.txt", layout.scored_key(f"{outside.campaign_id}.1"))
        outside.called("processScoredFiles", times)
    scored = outside.told("processScoredFiles")["out"]
    outside.done("saveCampaignData", "in", registered + scored)
    return Doubled(
        outside=outside,
        told=outside.told("saveCampaignData"),
        keys=_keys(outside, "scoring") + _keys(outside, "registration"),
        fans=scored // 2,
        picks=outside.select(),
    )


def _keys(outside: Outside, record_type: str) -> Counter[str]:
    """Dedupe keys of what lies in the lake, with how often they do."""
    found: Counter[str] = Counter()
    for key in outside.keys("CampaignDataBucket", f"avro/{record_type}/"):
        with closing(BytesIO(outside.object("CampaignDataBucket", key))) as source:
            found.update(record["dedupeKey"] for record in AvroRecordCodec().decode(source))
    return found


def _rejected(outside: Outside, worker: str) -> list[bytes]:
    """Lines of today's rejected records."""
    prefix = f"rejected/{worker}/{datetime.now(UTC):%Y/%m/%d}/"
    kept = outside.keys("CampaignDataBucket", prefix)
    return b"".join(outside.object("CampaignDataBucket", key) for key in kept).splitlines()


def _has_kept(outside: Outside, worker: str, least: int) -> bool:
    return len(_rejected(outside, worker)) >= least


def test_what_is_sent_twice_counts_once(doubled: Doubled) -> None:
    """Every dedupe key of the second time was there the first time; counts balance."""
    told = doubled.told
    assert told["in"] == told["out"] + told["rejected"] + told["duplicates"]
    assert sum(doubled.keys.values()) == told["out"]
    assert len(_keys(doubled.outside, "scoring")) == doubled.fans
    assert len({row["globalUserId"] for row in doubled.picks}) == len(doubled.picks)


def test_a_second_preparation_answers_what_the_first_did(doubled: Doubled) -> None:
    """The picks are not drawn again."""
    assert doubled.outside.select() == doubled.picks


def test_poison_is_kept_with_its_reason_and_harms_no_neighbour(outside: Outside) -> None:
    """On either stream what cannot be read ends in rejected/."""
    kept = {worker: len(_rejected(outside, worker)) for worker in POISONED}
    put_lines(outside.stack, [b"\xff\x00 no record", b'{"type": "unheard of"}', b"[]"])
    kinesis = outside.stack.client("kinesis")
    kinesis.put_record(
        StreamName=outside.stack.outputs["SaveSelectionStream"],
        Data=b'{"type": "codeAssignment", "half',
        PartitionKey="poison",
    )
    for worker, lines in POISONED.items():
        least = kept[worker] + lines
        eventually(partial(_has_kept, outside, worker, least), seconds=PATIENCE_SECONDS)
        assert len(_rejected(outside, worker)) == least
        assert all(json.loads(line)["reason"] for line in _rejected(outside, worker))
    assert not outside.dead_letters().keys() & {"cmp-save-data-dlq", "cmp-save-selection-dlq"}


def test_a_function_that_fails_twice_is_called_a_third_time(doubled: Doubled) -> None:
    """The campaign service is down for two calls of the function, and nothing is lost."""
    outside = doubled.outside
    faults = outside.up.surroundings.doubles.faults
    failed = outside.told("processScoredFiles")["failed"]
    faults.inject(Fault(FaultKind.ERROR, 503), service="campaign", times=2 * TRIES_OF_A_CALL)
    name = f"{outside.campaign_id}.2"
    outside.upload("scored.txt", layout.scored_key(name))
    key = f"scrubbed/{name}.csv"
    assert eventually(lambda: outside.exists("ScoringBucket", key), seconds=PATIENCE_SECONDS)
    outside.done("processScoredFiles", "failed", failed + 2)
    assert outside.told("processScoredFiles")["failed"] == failed + 2
    first = outside.object("ScoringBucket", f"scrubbed/{outside.campaign_id}.1.csv")
    assert outside.object("ScoringBucket", key) == first
    assert "cmp-process-scored-dlq" not in outside.dead_letters()


def test_a_wave_that_takes_longer_than_a_function_may_is_sent_call_by_call(
    doubled: Doubled,
) -> None:
    """The state machine comes back with the cursor until everybody was told, once."""
    outside, calls = doubled.outside, len(doubled.outside.calls("smsWaveSend"))
    outside.stack.client("lambda").update_function_configuration(
        FunctionName=outside.stack.function("smsWaveSend"),
        Timeout=SHUTDOWN_MARGIN_SECONDS + CALL_SECONDS,
    )
    rows = [row for row in doubled.picks if row["code"] != "TM"]
    wave = outside.load_wave("long", rows, rate=max(1, len(rows) // (2 * CALL_SECONDS)))
    outside.wait(FIVE_MINUTES)
    assert outside.wave_ends(wave) == "completed"
    assert len(outside.calls("smsWaveSend")) > calls + 1
    texts = outside.up.surroundings.doubles.fakes.sms.accepted_texts()
    told = [text.message.message_id for text in texts]
    told += [message["messageId"] for message in outside.messages("EmailQueue")]
    ledger = [item for item in outside.items("DeliveryLedger") if item["pk"]["S"] == wave]
    assert {item["state"]["S"] for item in ledger} == {"sent"}
    assert sorted(told) == sorted(item["sk"]["S"] for item in ledger)
    assert len(told) == len(rows)


def test_a_wave_that_cannot_be_sent_fails_and_says_so(outside: Outside) -> None:
    """Its config lies in failed/, the execution has failed, and the channel knows."""
    posts = outside.up.surroundings.doubles.fakes.chat.posts
    before = len(list(posts()))
    wave = f"{outside.campaign_id}_lost"
    outside.stack.client("s3").put_object(
        Bucket=outside.stack.outputs["ScoringBucket"],
        Key=layout.wave_config_key(wave, layout.WaveState.SCHEDULED),
        Body=json.dumps(outside.wave_config(totalLimit=1)).encode(),
    )
    outside.wait(FIVE_MINUTES)
    assert outside.wave_ends(wave) == "failed"
    assert eventually(lambda: len(list(posts())) > before, seconds=PATIENCE_SECONDS)
    assert eventually(lambda: outside.failed_executions(wave), seconds=PATIENCE_SECONDS)


@pytest.mark.parametrize("service", ["campaign", "slack"])
def test_a_power_cut_in_the_middle_of_scrubbing_loses_nothing(
    doubled: Doubled, service: str
) -> None:
    """Before anything was written, or with all but the last word said: it is done again."""
    outside = doubled.outside
    faults = outside.up.surroundings.doubles.faults
    name = f"{outside.campaign_id}.cut{service}"
    before = outside.told("saveCampaignData")["in"]
    struck = faults.injected[(service, FaultKind.LATENCY)]
    faults.inject(Fault(FaultKind.LATENCY, 9), service=service, times=1)
    outside.upload("scored.txt", layout.scored_key(name))
    assert eventually(
        lambda: faults.injected[(service, FaultKind.LATENCY)] > struck,
        seconds=PATIENCE_SECONDS,
    )
    outside.up.cloud.kill()
    outside.up.cloud.start()
    key = f"scrubbed/{name}.csv"
    assert eventually(lambda: outside.exists("ScoringBucket", key), seconds=PATIENCE_SECONDS)
    first = outside.object("ScoringBucket", f"scrubbed/{outside.campaign_id}.1.csv")
    assert outside.object("ScoringBucket", key) == first
    outside.done("saveCampaignData", "in", before + doubled.fans)
    assert len(_keys(outside, "scoring")) == doubled.fans
    assert "cmp-save-data-dlq" not in outside.dead_letters()
