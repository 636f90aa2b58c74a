"""Nothing personal is kept for ever, nothing lies open, and nothing is lost with the stack."""

from collections.abc import Callable
from datetime import date
from inspect import getmembers, isfunction, signature
from typing import Any, Final

import pytest

from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import WaveState
from tests.deploy.stack import Stack, stack

DAYS: Final = 17

SAMPLES: Final[dict[str, Any]] = {
    "campaign_id": "tour",
    "date_key": "2026-09-01",
    "fanlist_id": "tour",
    "name": "file",
    "wave": "tour_nyc",
    "worker": "saveSelection",
    "day": date(2026, 9, 1),
    "batch_id": "batch",
    "run": "run",
}
PERSONAL: Final[dict[str, tuple[str, Callable[..., str]]]] = {
    "rejected": ("campaign-data", layout.rejected),
    "scratch": ("campaign-data", layout.scratch),
    "scored": ("scoring", layout.scored),
    "scrubbed": ("scoring", layout.scrubbed),
    "fanlist_upload": ("scoring", layout.fanlist_upload),
    "fanlist_manifest": ("scoring", layout.fanlist_manifest),
    "fanlist_scored": ("scoring", layout.fanlist_scored),
    "wave_file": ("scoring", layout.wave_file),
    "wave_errors": ("scoring", layout.wave_errors),
    "market_details": ("scoring", layout.market_details),
    "wave_prep_status": ("scoring", layout.wave_prep_status),
    "prepped": ("scoring", layout.prepped),
}
"""Keys that expire: they hold personal data, or lie in a folder with such."""
KEPT: Final = {
    "lake_day": "the lake is the record; `LakeDays` ends it",
    "lake_batch": "the lake is the record; `LakeDays` ends it",
    "registration_folder": "the lake is the record; `LakeDays` ends it",
    "merged_registrations": "the lake is the record; `LakeDays` ends it",
    "archived": "the lake is the record; `LakeDays` ends it",
    "merge_manifest": "names and sizes of files",
    "wave_config": "dates and limits of a wave",
    "wave_folder": "dates and limits of waves",
    "generating_config": "dates and limits of a wave",
    "blocklists": "rules of a campaign, which must hold for as long as it does",
    "allowlists": "rules of a campaign, which must hold for as long as it does",
}
NO_KEY: Final = {"lake_period", "scored_name", "fanlist_parts", "wave_config_parts", "wave_of_file"}


def rules(bucket: str, made: Stack) -> list[dict[str, Any]]:
    """The lifecycle rules of a bucket that are in force."""
    [found] = [b for b in made.of("AWS::S3::Bucket").values() if b["BucketName"].startswith(bucket)]
    return [r for r in found["LifecycleConfiguration"]["Rules"] if r["Status"] == "Enabled"]


@pytest.mark.parametrize("builder", PERSONAL)
def test_personal_data_expires(builder: str) -> None:
    """Each key with personal data lies under a prefix that expires after the days of the stack."""
    bucket, build = PERSONAL[builder]
    key = build(**{name: SAMPLES[name] for name in signature(build).parameters})
    made = Stack(PersonalDataDays=DAYS)
    days = [
        r["ExpirationInDays"] for r in rules(bucket, made) if key.startswith(r.get("Prefix", "//"))
    ]
    assert days == [1 if builder == "scratch" else DAYS]


def test_every_key_is_judged() -> None:
    """Whoever adds a kind of key has to say whether what lies there is personal."""
    builders = {
        name
        for name, member in getmembers(layout, isfunction)
        if member.__module__ == layout.__name__ and not name.startswith("_")
    }
    assert builders == PERSONAL.keys() | KEPT.keys() | NO_KEY


def test_the_lake_is_kept_unless_somebody_says_otherwise() -> None:
    """Without `LakeDays` nothing of the lake expires; with it, all does."""
    batch = layout.lake_batch("registration", date(2026, 9, 1), "batch")
    for made, expected in ((stack(), []), (Stack(LakeDays=400), [400])):
        prefixes = [
            r for r in rules("campaign-data", made) if batch.startswith(r.get("Prefix", "//"))
        ]
        assert [rule["ExpirationInDays"] for rule in prefixes] == expected


@pytest.mark.parametrize("bucket", ["campaign-data", "scoring"])
def test_configs_of_waves_never_expire(bucket: str) -> None:
    """A wave that is scheduled for next year still has its config then."""
    for state in WaveState:
        key = layout.wave_config("tour_nyc", state)
        assert not [r for r in rules(bucket, stack()) if key.startswith(r.get("Prefix", "//"))]


@pytest.mark.parametrize("bucket", ["campaign-data", "scoring"])
def test_nothing_is_left_over(bucket: str) -> None:
    """Parts of broken uploads, old versions and their markers go by themselves."""
    [rule] = [r for r in rules(bucket, stack()) if "Prefix" not in r]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert rule["ExpiredObjectDeleteMarker"] is True


@pytest.mark.parametrize("key", ["", "arn:aws:kms:us-east-1:000000000000:key/any"])
def test_buckets_are_closed_and_encrypted(key: str) -> None:
    """No public access, no access without TLS, keys of S3 or the one that was given."""
    made = Stack(BucketKeyArn=key)
    for bucket in made.of("AWS::S3::Bucket").values():
        [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        default = rule["ServerSideEncryptionByDefault"]
        expected = (
            {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
            if key
            else {"SSEAlgorithm": "AES256"}
        )
        assert default == expected
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    policies = made.of("AWS::S3::BucketPolicy").values()
    assert len(policies) == 2
    for policy in policies:
        [statement] = policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert statement["Resource"][1] == f"{statement['Resource'][0]}/*"


def test_streams_queues_and_tables_are_encrypted() -> None:
    """Records, messages and items are never at rest in the clear."""
    for stream in stack().of("AWS::Kinesis::Stream").values():
        assert stream["StreamEncryption"]["EncryptionType"] == "KMS"
    assert {q["SqsManagedSseEnabled"] for q in stack().of("AWS::SQS::Queue").values()} == {True}
    for table in stack().of("AWS::DynamoDB::Table").values():
        assert table["SSESpecification"] == {"SSEEnabled": True}


@pytest.mark.parametrize(("policy", "kept"), [("Retain", True), ("Delete", False)])
def test_data_outlives_the_stack_unless_somebody_says_otherwise(policy: str, kept: bool) -> None:
    """Buckets and tables stay when the stack goes, and tables refuse to be deleted."""
    made = Stack(DataPolicy=policy)
    for resource in made.resources.values():
        if resource["Type"] in {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}:
            assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == policy
    for table in made.of("AWS::DynamoDB::Table").values():
        assert table["DeletionProtectionEnabled"] is kept
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_ledger_forgets_by_itself() -> None:
    """Entries of the ledger expire by their own attribute; the demand table keeps all."""
    tables = {t["TableName"]: t for t in stack().of("AWS::DynamoDB::Table").values()}
    expiry = {"AttributeName": "expires", "Enabled": True}
    assert tables["deliveryLedger"]["TimeToLiveSpecification"] == expiry
    assert "TimeToLiveSpecification" not in tables["demandTable"]


def test_logs_end() -> None:
    """Every log group keeps its lines for the days of the stack, and each function has its own."""
    groups = Stack(LogRetentionDays=90).of("AWS::Logs::LogGroup").values()
    assert {group["RetentionInDays"] for group in groups} == {90}
    written = [f["LoggingConfig"]["LogGroup"] for f in stack().functions.values()]
    assert sorted(written) == sorted(
        f"/aws/lambda/{f['FunctionName']}" for f in stack().functions.values()
    )


def test_a_query_cannot_run_away() -> None:
    """The workgroup has the last word on where results go and how much is read."""
    [group] = stack().of("AWS::Athena::WorkGroup").values()
    rules_of_queries = group["WorkGroupConfiguration"]
    assert rules_of_queries["EnforceWorkGroupConfiguration"] is True
    assert rules_of_queries["BytesScannedCutoffPerQuery"] > 10 * 1_200_000_000
    place = rules_of_queries["ResultConfiguration"]["OutputLocation"]
    assert layout.SCRATCH_PREFIX.startswith(place.split("/", 3)[3])
