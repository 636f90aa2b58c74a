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
from tests.cloud.lambda_functions import eventually
from tests.cloud.stack_client import DATE_KEY, FIVE_MINUTES, PATIENCE_SECONDS, Row, StackClient
from tests.cloud.stack_uploads import put_lines

POISONED = {"saveCampaignData": 3, "saveSelection": 1}
"""How many unreadable records each of them gets."""
SHUTDOWN_MARGIN_SECONDS = int(Limits().shutdown_margin_seconds)
CALL_SECONDS = 8
"""How long a call of smsWaveSend has for texts: time to begin on a busy machine, too."""
TRIES_OF_A_CALL = 4
"""How often a client of a service asks before it gives up."""


@attrs.define
class Doubled:
    """What there was after everything had been sent twice."""

    stack_client: StackClient
    told: Counter[str]
    keys: Counter[str]
    fans: int
    picks: list[Row]


@pytest.fixture(scope="module")
def doubled(stack_client: StackClient) -> Doubled:
    """Fans have registered twice, were scored twice, and are selected."""
    file = stack_client.up.uploads / "registrations.jsonl"
    registered = stack_client.register(file) + stack_client.register(file)
    stack_client.upload(
        "market-details.csv", layout.market_details_key(stack_client.campaign_id, DATE_KEY)
    )
    for times in (1, 2):
        stack_client.upload("scored.txt", layout.scored_key(f"{stack_client.campaign_id}.1"))
        stack_client.wait_for_calls("processScoredFiles", times)
    scored = stack_client.counts("processScoredFiles")["out"]
    stack_client.wait_for_count("saveCampaignData", "in", registered + scored)
    return Doubled(
        stack_client=stack_client,
        told=stack_client.counts("saveCampaignData"),
        keys=_keys(stack_client, "scoring") + _keys(stack_client, "registration"),
        fans=scored // 2,
        picks=stack_client.select(),
    )


def _keys(stack_client: StackClient, record_type: str) -> Counter[str]:
    """Count the records in the lake by dedupe key."""
    found: Counter[str] = Counter()
    for key in stack_client.keys("CampaignDataBucket", f"avro/{record_type}/"):
        with closing(BytesIO(stack_client.object("CampaignDataBucket", key))) as source:
            found.update(record["dedupeKey"] for record in AvroRecordCodec().decode(source))
    return found


def _rejected(stack_client: StackClient, worker: str) -> list[bytes]:
    """Lines of today's rejected records."""
    prefix = f"rejected/{worker}/{datetime.now(UTC):%Y/%m/%d}/"
    kept = stack_client.keys("CampaignDataBucket", prefix)
    return b"".join(stack_client.object("CampaignDataBucket", key) for key in kept).splitlines()


def _has_kept(stack_client: StackClient, worker: str, least: int) -> bool:
    return len(_rejected(stack_client, worker)) >= least


def test_what_is_sent_twice_counts_once(doubled: Doubled) -> None:
    """Every dedupe key of the second time was there the first time; counts balance."""
    told = doubled.told
    assert told["in"] == told["out"] + told["rejected"] + told["duplicates"]
    assert sum(doubled.keys.values()) == told["out"]
    assert len(_keys(doubled.stack_client, "scoring")) == doubled.fans
    assert len({row["globalUserId"] for row in doubled.picks}) == len(doubled.picks)


def test_a_second_preparation_answers_what_the_first_did(doubled: Doubled) -> None:
    """The picks are not drawn again."""
    assert doubled.stack_client.select() == doubled.picks


def test_poison_is_kept_with_its_reason_and_harms_no_neighbour(stack_client: StackClient) -> None:
    """On either stream what cannot be read ends in rejected/."""
    kept = {worker: len(_rejected(stack_client, worker)) for worker in POISONED}
    put_lines(stack_client.stack, [b"\xff\x00 no record", b'{"type": "unheard of"}', b"[]"])
    kinesis = stack_client.stack.client("kinesis")
    kinesis.put_record(
        StreamName=stack_client.stack.outputs["SaveSelectionStream"],
        Data=b'{"type": "codeAssignment", "half',
        PartitionKey="poison",
    )
    for worker, lines in POISONED.items():
        least = kept[worker] + lines
        eventually(partial(_has_kept, stack_client, worker, least), seconds=PATIENCE_SECONDS)
        assert len(_rejected(stack_client, worker)) == least
        assert all(json.loads(line)["reason"] for line in _rejected(stack_client, worker))
    assert not stack_client.dead_letters().keys() & {"cmp-save-data-dlq", "cmp-save-selection-dlq"}


def test_a_function_that_fails_twice_is_called_a_third_time(doubled: Doubled) -> None:
    """The campaign service is down for two calls of the function, and nothing is lost."""
    stack_client = doubled.stack_client
    faults = stack_client.up.external_services.doubles.faults
    failed = stack_client.counts("processScoredFiles")["failed"]
    faults.inject(Fault(FaultKind.ERROR, 503), service="campaign", times=2 * TRIES_OF_A_CALL)
    name = f"{stack_client.campaign_id}.2"
    stack_client.upload("scored.txt", layout.scored_key(name))
    key = f"scrubbed/{name}.csv"
    assert eventually(lambda: stack_client.exists("ScoringBucket", key), seconds=PATIENCE_SECONDS)
    stack_client.wait_for_count("processScoredFiles", "failed", failed + 2)
    assert stack_client.counts("processScoredFiles")["failed"] == failed + 2
    first = stack_client.object("ScoringBucket", f"scrubbed/{stack_client.campaign_id}.1.csv")
    assert stack_client.object("ScoringBucket", key) == first
    assert "cmp-process-scored-dlq" not in stack_client.dead_letters()


def test_a_wave_that_takes_longer_than_a_function_may_is_sent_call_by_call(
    doubled: Doubled,
) -> None:
    """The state machine repeats the call with the cursor until all are notified, once each."""
    stack_client, calls = doubled.stack_client, len(doubled.stack_client.calls("smsWaveSend"))
    stack_client.stack.client("lambda").update_function_configuration(
        FunctionName=stack_client.stack.function("smsWaveSend"),
        Timeout=SHUTDOWN_MARGIN_SECONDS + CALL_SECONDS,
    )
    rows = [row for row in doubled.picks if row["code"] != "TM"]
    wave = stack_client.load_wave("long", rows, rate=max(1, len(rows) // (2 * CALL_SECONDS)))
    stack_client.wait(FIVE_MINUTES)
    assert stack_client.wave_ends(wave) == "completed"
    assert len(stack_client.calls("smsWaveSend")) > calls + 1
    texts = stack_client.up.external_services.doubles.fakes.sms.accepted_texts()
    told = [text.message.message_id for text in texts]
    told += [message["messageId"] for message in stack_client.messages("EmailQueue")]
    ledger = [item for item in stack_client.items("DeliveryLedger") if item["pk"]["S"] == wave]
    assert {item["state"]["S"] for item in ledger} == {"sent"}
    assert sorted(told) == sorted(item["sk"]["S"] for item in ledger)
    assert len(told) == len(rows)


def test_a_wave_that_cannot_be_sent_fails_and_says_so(stack_client: StackClient) -> None:
    """Its config is in failed/, the execution has failed, and the channel is notified."""
    posts = stack_client.up.external_services.doubles.fakes.chat.posts
    before = len(list(posts()))
    wave = f"{stack_client.campaign_id}_lost"
    stack_client.stack.client("s3").put_object(
        Bucket=stack_client.stack.outputs["ScoringBucket"],
        Key=layout.wave_config_key(wave, layout.WaveState.SCHEDULED),
        Body=json.dumps(stack_client.wave_config(totalLimit=1)).encode(),
    )
    stack_client.wait(FIVE_MINUTES)
    assert stack_client.wave_ends(wave) == "failed"
    assert eventually(lambda: len(list(posts())) > before, seconds=PATIENCE_SECONDS)
    assert eventually(lambda: stack_client.failed_executions(wave), seconds=PATIENCE_SECONDS)


@pytest.mark.parametrize("service", ["campaign", "slack"])
def test_a_power_cut_in_the_middle_of_scrubbing_loses_nothing(
    doubled: Doubled, service: str
) -> None:
    """Before anything was written, or with all but the last word said: it is done again."""
    stack_client = doubled.stack_client
    faults = stack_client.up.external_services.doubles.faults
    name = f"{stack_client.campaign_id}.cut{service}"
    before = stack_client.counts("saveCampaignData")["in"]
    struck = faults.injected[(service, FaultKind.LATENCY)]
    faults.inject(Fault(FaultKind.LATENCY, 9), service=service, times=1)
    stack_client.upload("scored.txt", layout.scored_key(name))
    assert eventually(
        lambda: faults.injected[(service, FaultKind.LATENCY)] > struck,
        seconds=PATIENCE_SECONDS,
    )
    stack_client.up.cloud.kill()
    stack_client.up.cloud.start()
    key = f"scrubbed/{name}.csv"
    assert eventually(lambda: stack_client.exists("ScoringBucket", key), seconds=PATIENCE_SECONDS)
    first = stack_client.object("ScoringBucket", f"scrubbed/{stack_client.campaign_id}.1.csv")
    assert stack_client.object("ScoringBucket", key) == first
    stack_client.wait_for_count("saveCampaignData", "in", before + doubled.fans)
    assert len(_keys(stack_client, "scoring")) == doubled.fans
    assert "cmp-save-data-dlq" not in stack_client.dead_letters()
