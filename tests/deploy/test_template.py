"""The template as a whole: sound, complete, and saying the same names as everything else."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import attrs
import pytest

from campaign_workers.domain.running.triggers import BUCKETS, QUEUES, STREAMS, TABLES, WORKERS
from campaign_workers.domain.wire import to_snake
from campaign_workers.settings import Settings
from deploy.packaging.contents import zip_of
from tests.deploy.stack import ACCOUNT, TEMPLATE, Stack, logical, source, stack

NAMES = {
    "saveCampaignData": "cmp-save-data",
    "transformCodeAssignments": "cmp-trnsfrm-ca",
    "saveSelection": "cmp-save-selection",
    "processScoredFiles": "cmp-process-scored",
    "translateRanksToScores": "cmp-trnslt-ranks",
    "loadCodeAssignmentsToStream": "cmp-load-stream-ca",
    "generateSmsWaveCodes": "cmp-gen-codes",
    "processSmsWaveFiles": "cmp-process-sms-wave",
    "processScheduledWave": "cmp-prcss-scheduled",
    "mergeAvroFiles": "cmp-mrg-avro",
    "moveMergedAvroFiles": "cmp-mv-mrgd",
    "saveStats": "cmp-save-stats",
    "slackStats": "cmp-slack-stats",
    "smsWaveScheduler": "cmp-sms-wave-scheduler",
    "smsWaveSend": "cmp-sms-wave-send",
}
"""What other teams know the functions by."""

OF_OTHERS = re.compile(r"OTEL_\w+")
"""Environment variables that other libraries read."""
SERVICES = ("Services", "Campaign", "Entry", "Code", "User", "Pacman", "Sms", "Slack")


def test_the_linter_finds_nothing() -> None:
    """cfn-lint has nothing to say of the template, and no rule is switched off in it."""
    linter = Path(sys.executable).parent / "cfn-lint"
    run = subprocess.run([linter, TEMPLATE], capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("", 0)
    assert "cfn-lint" not in TEMPLATE.read_text("utf-8")


def test_the_stack_can_be_made_bare() -> None:
    """Every parameter has a default and says what it is for, and every one is used."""
    text = TEMPLATE.read_text("utf-8")
    for name, parameter in source()["Parameters"].items():
        assert "Default" in parameter
        assert parameter["Description"]
        assert re.search(rf"!Ref {name}\b|\$\{{{name}\}}", text), name


def test_nothing_is_empty_by_mistake() -> None:
    """A comma in a text without quotes would cut it, and leave its rest as a name of nothing."""
    assert None not in list(_values(source()))


def _values(node: object) -> Iterator[object]:
    if isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield value
            yield from _values(value)


def test_functions_have_the_names_that_others_know() -> None:
    """Each worker's function is called as other teams call it, with the suffix of the stack."""
    names = {worker: f"{name}-two" for worker, name in NAMES.items()}
    functions = Stack(NameSuffix="-two").functions
    assert {worker: functions[logical(worker)]["FunctionName"] for worker in WORKERS} == names
    result = source()["Mappings"]["Functions"]
    assert {worker: result[logical(worker)]["Name"] for worker in WORKERS} == NAMES


@pytest.mark.parametrize("worker", WORKERS)
def test_a_function_runs_its_worker_from_the_zip_that_holds_it(worker: str) -> None:
    """Handler and zip belong to the worker."""
    function = stack().functions[logical(worker)]
    module, _, name = function["Handler"].rpartition(".")
    assert module == f"campaign_workers.entrypoints.{to_snake(worker)}"
    assert callable(getattr(import_module(module), name))
    assert function["CodeUri"] == f"../dist/lambda/{zip_of(worker)}.zip"


@pytest.mark.parametrize("suffix", ["", "-two"])
def test_everything_is_where_the_functions_look_for_it(suffix: str) -> None:
    """Streams, queues, tables and buckets have the names that the code makes of the suffix."""
    made = Stack(NameSuffix=suffix)
    for kind, names in (
        ("AWS::Kinesis::Stream", STREAMS),
        ("AWS::DynamoDB::Table", TABLES),
        ("AWS::SQS::Queue", QUEUES),
    ):
        key = {"AWS::Kinesis::Stream": "Name", "AWS::DynamoDB::Table": "TableName"}.get(
            kind, "QueueName"
        )
        found = {each[key] for each in made.of(kind).values() if "-dlq" not in each[key]}
        assert found == {name + suffix for name in names}
    buckets = {bucket["BucketName"] for bucket in made.of("AWS::S3::Bucket").values()}
    assert buckets == {f"{name}-{ACCOUNT}{suffix}" for name in ("campaign-data", "scoring")}
    assert len(BUCKETS) == 2
    environment = made.functions["MergeAvroFiles"]["Environment"]
    [group] = made.of("AWS::Athena::WorkGroup").values()
    [database] = made.of("AWS::Glue::Database").values()
    result = {name.removeprefix("CAMPAIGN_WORKERS_"): value for name, value in environment.items()}
    assert result["NAME_SUFFIX"] == suffix
    assert {result["CAMPAIGN_DATA_BUCKET"], result["SCORING_BUCKET"]} == buckets
    assert result["ATHENA_WORKGROUP"] == group["Name"]
    assert result["ATHENA_DATABASE"] == database["DatabaseInput"]["Name"]
    assert re.fullmatch("[a-z0-9_]+", result["ATHENA_DATABASE"])


def test_the_environment_is_made_of_settings() -> None:
    """Every variable is a setting that there is, or one that another library reads."""
    urls = {f"{name}Url": "https://x.example" for name in SERVICES}
    every = Stack(MongodbUri="mongodb://x", OtlpEndpoint="https://x.example", **urls)
    names = {name for function in every.functions.values() for name in function["Environment"]}
    known = {f"CAMPAIGN_WORKERS_{field.name.upper()}" for field in attrs.fields(Settings)}
    assert {name for name in names if not OF_OTHERS.fullmatch(name)} <= known
    assert {f"CAMPAIGN_WORKERS_{name.upper()}_URL" for name in SERVICES} <= names


def test_what_is_not_set_is_not_there() -> None:
    """An empty parameter makes no empty variable, which would count as a value."""
    for function in stack().functions.values():
        empty = {name for name, value in function["Environment"].items() if value == ""}
        assert empty <= {"CAMPAIGN_WORKERS_NAME_SUFFIX"}


def test_the_address_of_the_database_goes_where_it_is_used() -> None:
    """Only the two functions that query the database receive its address and password."""
    functions = Stack(MongodbUri="mongodb://user:secret@host").functions
    result = {
        name for name, f in functions.items() if "CAMPAIGN_WORKERS_MONGODB_URI" in f["Environment"]
    }
    assert result == {"SaveStats", "SlackStats"}
    assert source()["Parameters"]["MongodbUri"]["NoEcho"] is True


def test_no_secret_passes_through_the_template() -> None:
    """Secrets are put by people, so that no value is in a template or its history."""
    assert not stack().of("AWS::SecretsManager::Secret")


def test_outputs_name_all_resources() -> None:
    """Outputs name each function, stream, queue, table and bucket, and the state machine."""
    assert {logical(worker) for worker in WORKERS} <= stack().outputs.keys()
    result = {str(output["Value"]) for output in stack().outputs.values()}
    assert {*STREAMS, *QUEUES, *TABLES} <= result
    assert any(value.endswith(":stateMachine:sms-wave-step-fn") for value in result)
