"""Personal data expires, nothing is public, and deleting the stack loses no data."""

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
    "rejected_key": ("campaign-data", layout.rejected_key),
    "scratch_prefix": ("campaign-data", layout.scratch_prefix),
    "scored_key": ("scoring", layout.scored_key),
    "scrubbed_key": ("scoring", layout.scrubbed_key),
    "fanlist_upload_key": ("scoring", layout.fanlist_upload_key),
    "fanlist_manifest_key": ("scoring", layout.fanlist_manifest_key),
    "fanlist_scored_key": ("scoring", layout.fanlist_scored_key),
    "wave_file_key": ("scoring", layout.wave_file_key),
    "wave_errors_key": ("scoring", layout.wave_errors_key),
    "market_details_key": ("scoring", layout.market_details_key),
    "wave_prep_status_key": ("scoring", layout.wave_prep_status_key),
    "prepped_key": ("scoring", layout.prepped_key),
}
"""Keys that expire: they hold personal data, or lie in a folder with such."""
KEPT: Final = {
    "lake_day_prefix": "the lake is the record; `LakeDays` ends it",
    "lake_batch_key": "the lake is the record; `LakeDays` ends it",
    "registration_prefix": "the lake is the record; `LakeDays` ends it",
    "merged_registrations_key": "the lake is the record; `LakeDays` ends it",
    "archived_key": "the lake is the record; `LakeDays` ends it",
    "merge_manifest_key": "names and sizes of files",
    "wave_config_key": "dates and limits of a wave",
    "wave_configs_prefix": "dates and limits of waves",
    "generating_config_key": "dates and limits of a wave",
    "blocklist_keys": "rules of a campaign, which must hold for as long as it does",
    "allowlist_keys": "rules of a campaign, which must hold for as long as it does",
}


def rules(bucket: str, made: Stack) -> list[dict[str, Any]]:
    """The lifecycle rules of a bucket that are in force."""
    [found] = [b for b in made.of("AWS::S3::Bucket").values() if b["BucketName"].startswith(bucket)]
    return [r for r in found["LifecycleConfiguration"]["Rules"] if r["Status"] == "Enabled"]


@pytest.mark.parametrize("builder", PERSONAL)
def test_personal_data_expires(builder: str) -> None:
    """Each key with personal data is under a prefix that expires after the stack's days."""
    bucket, build = PERSONAL[builder]
    key = build(**{name: SAMPLES[name] for name in signature(build).parameters})
    made = Stack(PersonalDataDays=DAYS)
    days = [
        r["ExpirationInDays"] for r in rules(bucket, made) if key.startswith(r.get("Prefix", "//"))
    ]
    assert days == [1 if builder == "scratch_prefix" else DAYS]


def test_every_key_is_classified() -> None:
    """A new kind of key must be listed here as personal or as kept."""
    builders = {
        name
        for name, member in getmembers(layout, isfunction)
        if member.__module__ == layout.__name__
        and name.endswith(("_key", "_keys", "_prefix"))
        and not name.startswith(("_", "parse_", "validate_"))
    }
    assert builders == PERSONAL.keys() | KEPT.keys()


def test_the_lake_is_kept_unless_somebody_says_otherwise() -> None:
    """Without `LakeDays` nothing of the lake expires; with it, all does."""
    batch = layout.lake_batch_key("registration", date(2026, 9, 1), "batch")
    for made, expected in ((stack(), []), (Stack(LakeDays=400), [400])):
        prefixes = [
            r for r in rules("campaign-data", made) if batch.startswith(r.get("Prefix", "//"))
        ]
        assert [rule["ExpirationInDays"] for rule in prefixes] == expected


@pytest.mark.parametrize("bucket", ["campaign-data", "scoring"])
def test_configs_of_waves_never_expire(bucket: str) -> None:
    """A wave that is scheduled for next year still has its config then."""
    for state in WaveState:
        key = layout.wave_config_key("tour_nyc", state)
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
