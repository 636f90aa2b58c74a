"""A whole campaign on a deployed stack, moved by its own triggers alone."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import BytesIO

import attrs
import pytest

from campaign_workers.adapters.avro.codec import AvroRecordCodec
from campaign_workers.container import Container
from campaign_workers.domain import lottery
from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.domain.storage import layout
from campaign_workers.entrypoints.cli.campaign_runner import CampaignRunner
from campaign_workers.entrypoints.cli.uploads import Uploads
from campaign_workers.settings import Settings
from tests import privacy
from tests.cloud.external_services import SEED
from tests.cloud.lambda_functions import eventually
from tests.cloud.stack_client import (
    DATE_KEY,
    FIVE_MINUTES,
    PATIENCE_SECONDS,
    Row,
    StackClient,
    picks_of,
)

SCORED_NAME = "1"


@attrs.define
class Played:
    """A campaign that has been played, and what was seen on the way."""

    stack_client: StackClient
    registered: int = 0
    waves: dict[str, list[Row]] = attrs.field(factory=dict)
    picks: list[Row] = attrs.field(factory=list)
    registrations: Counter[str] = attrs.field(factory=Counter)

    @property
    def put(self) -> int:
        """Records that were put onto streams that end in the lake."""
        putting = ("processScoredFiles", "translateRanksToScores", "loadCodeAssignmentsToStream")
        return self.registered + sum(self.stack_client.counts(worker)["out"] for worker in putting)

    @property
    def texted(self) -> list[str]:
        """The message ids of the texts that were accepted."""
        sms = self.stack_client.up.external_services.doubles.fakes.sms
        return [text.message.message_id for text in sms.accepted_texts()]


@pytest.fixture(scope="module")
def played(stack_client: StackClient) -> Played:
    """From the first registration to the archived lake."""
    played = Played(stack_client)
    _register_and_score(played)
    played.picks = stack_client.select()
    for name, offer_codes in (("tm", True), ("external", False)):
        rows = [row for row in played.picks if (row["code"] == "TM") == offer_codes]
        wave = stack_client.load_wave(name, rows, generateOfferCode=offer_codes)
        played.waves[wave] = rows
    stack_client.wait(FIVE_MINUTES)
    for wave in played.waves:
        assert stack_client.wave_ends(wave) == "completed"
    stack_client.wait_for_count("transformCodeAssignments", "in", len(played.picks))
    stack_client.wait_for_count(
        "saveSelection", "out", stack_client.counts("transformCodeAssignments")["out"]
    )
    stack_client.wait_for_count("saveCampaignData", "in", played.put)
    _archive(played)
    stack_client.wait(timedelta(minutes=31))
    eventually(lambda: len(stack_client.ran()) == len(WORKERS), seconds=PATIENCE_SECONDS)
    return played


def _register_and_score(played: Played) -> None:
    stack_client, campaign = played.stack_client, played.stack_client.campaign_id
    played.registered = stack_client.register(stack_client.up.uploads / "registrations.jsonl")
    stack_client.upload("fanclub-ranks.csv", layout.fanlist_upload_key(campaign, "ranks"))
    stack_client.upload("scored.txt", layout.scored_key(f"{campaign}.{SCORED_NAME}"))
    stack_client.upload("market-details.csv", layout.market_details_key(campaign, DATE_KEY))
    stack_client.wait_for_calls("processScoredFiles", 1)
    stack_client.wait_for_calls("translateRanksToScores", 1)
    stack_client.wait_for_count("saveCampaignData", "in", played.put)


def _archive(played: Played) -> None:
    """Make the day's registrations yesterday's, and let the night come."""
    stack_client = played.stack_client
    today = f"avro/registration/{datetime.now(UTC):%Y/%m/%d}/"
    yesterday = f"avro/registration/{datetime.now(UTC) - timedelta(days=1):%Y/%m/%d}/"
    s3, lake = stack_client.stack.client("s3"), stack_client.stack.outputs["CampaignDataBucket"]
    for key in stack_client.keys("CampaignDataBucket", today):
        played.registrations.update(_records(stack_client.object("CampaignDataBucket", key)))
        target = yesterday + key.removeprefix(today)
        s3.copy_object(Bucket=lake, Key=target, CopySource={"Bucket": lake, "Key": key})
        s3.delete_object(Bucket=lake, Key=key)
    stack_client.wait(timedelta(days=1))
    assert eventually(lambda: stack_client.calls("moveMergedAvroFiles"), seconds=PATIENCE_SECONDS)


def _records(container: bytes) -> Iterator[str]:
    with closing(BytesIO(container)) as source:
        for record in AvroRecordCodec().decode(source):
            yield repr(sorted(record.items()))


def test_every_function_ran_by_its_own_trigger(
    played: Played, record_property: Callable[[str, object], None]
) -> None:
    """Fifteen of fifteen: streams, buckets, queues, schedules, the state machine, invocations."""
    ran = played.stack_client.ran()
    record_property("functions that ran by their own trigger", f"{len(ran)} of {len(WORKERS)}")
    assert ran == list(WORKERS)


def test_every_record_of_a_stream_is_in_the_lake_or_among_the_rejected(played: Played) -> None:
    """What saveCampaignData took is what was put, and nothing fell out."""
    stack_client = played.stack_client
    told = stack_client.counts("saveCampaignData")
    assert told["in"] == played.put
    assert told["in"] == told["out"] + told["rejected"] + told["duplicates"]


@pytest.fixture(scope="module")
def embedded(stack_client: StackClient, tmp_path_factory: pytest.TempPathFactory) -> Container:
    """The same uploads and seed, played in memory as far as the selection."""
    uploads = Uploads(stack_client.up.uploads)
    container = Container("memory", settings=Settings(profile="memory"), starts=uploads.opens())
    container.embedded.secrets.write(lottery.seed_secret_name(stack_client.campaign_id), SEED)
    runner = CampaignRunner(
        container=container, uploads=uploads, out=tmp_path_factory.mktemp("out")
    )
    for title, step in runner.steps():
        step()
        if title.startswith("Fans are selected"):
            break
    return container


def test_scrubbing_and_selection_are_those_of_the_embedded_profile(
    played: Played, embedded: Container
) -> None:
    """The same uploads and seed give the same scrubbed rows and the same picks."""
    stack_client = played.stack_client
    [scrubbed] = [info.key for info in embedded.scoring.list("scrubbed/")]
    key = f"scrubbed/{stack_client.campaign_id}.{SCORED_NAME}.csv"
    assert stack_client.object("ScoringBucket", key) == _content(embedded, scrubbed)
    picks = picks_of(_content(embedded, layout.prepped_key(stack_client.campaign_id, DATE_KEY)))
    assert [_pick(row) for row in played.picks] == [_pick(row) for row in picks]


@pytest.mark.parametrize(
    "worker", ["processScoredFiles", "translateRanksToScores", "processSmsWaveFiles"]
)
def test_counts_are_those_of_the_embedded_profile(
    played: Played, embedded: Container, worker: str
) -> None:
    """A worker reports the same counts for the same uploads in each profile."""
    [run] = [run for run in embedded.journal.runs() if run.worker == worker]
    told = played.stack_client.counts(worker)
    assert {name: told[name] for name in run.result["count"]} == run.result["count"]


def _content(container: Container, key: str) -> bytes:
    with closing(container.scoring.open(key)) as source:
        return source.read()


def _pick(row: Row) -> Row:
    """Return a pick without its code, which may be any of the pool."""
    return {name: value for name, value in row.items() if name != "code"}


def test_every_pick_is_notified_once_and_has_its_code(played: Played) -> None:
    """By text or by e-mail; the ledger, the demand table and the entries agree.

    A pick who never registered has no user id: the code is in the message, the rest is rejected.
    """
    stack_client = played.stack_client
    emailed = [message["messageId"] for message in stack_client.messages("EmailQueue")]
    told = Counter(played.texted + emailed)
    assert len(told) == len(played.picks)
    assert set(told.values()) == {1}
    assert len(stack_client.items("DeliveryLedger")) == len(played.picks)
    fans = {row["globalUserId"] for row in played.picks}
    shown = {item["pk"]["S"].removeprefix("fan:") for item in stack_client.items("DemandTable")}
    assert shown <= fans
    assert len(fans - shown) == stack_client.counts("transformCodeAssignments")["rejected"]
    held = stack_client.up.external_services.doubles.fakes.entries.codes(
        stack_client.campaign_id, fans
    )
    assert {fan for fan in fans if held.get(fan)} == shown


def test_the_lake_of_yesterday_is_one_file_with_the_same_records(played: Played) -> None:
    """Merged by the query engine, and its sources lie in the archive."""
    stack_client = played.stack_client
    [merged] = [
        key
        for key in stack_client.keys("CampaignDataBucket", "avro/registration/")
        if key.endswith("/merged")
    ]
    assert (
        Counter(_records(stack_client.object("CampaignDataBucket", merged))) == played.registrations
    )
    assert stack_client.keys("CampaignDataBucket", "avro/registration/") == [merged]
    assert stack_client.keys("CampaignDataBucket", "avro/archived/registration/")


def test_statistics_are_kept_and_posted(played: Played) -> None:
    """The database has the figures, and they are posted to the channel."""
    around = played.stack_client.up.external_services
    [document] = around.database.adminStats.find()
    assert document["stats"]["total"] > 0
    assert "lastPosted" in document
    assert list(around.doubles.fakes.chat.posts())


def test_nothing_is_left_over(played: Played) -> None:
    """No call failed for good."""
    assert played.stack_client.dead_letters() == {}


def test_no_function_logs_what_is_personal(played: Played) -> None:
    """Not a phone, an address, a token or a code in any line of any function."""
    lines = [line for worker in WORKERS for line in played.stack_client.lines(worker)]
    codes = {row["code"] for row in played.picks if row["code"] != "TM"}
    assert len(lines) > len(WORKERS)
    assert [privacy.personal_data(line) for line in lines if privacy.personal_data(line)] == []
    assert not [code for code in codes if any(code in line for line in lines)]
