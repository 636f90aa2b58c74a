"""Ports to adapters, for each profile: the table, read from top to bottom."""

from pathlib import Path
from typing import Any, Final

from dependency_injector import containers, providers

from campaign_workers.container.providing import (
    adapter,
    asked,
    client,
    each,
    required,
    served,
)
from campaign_workers.domain.running.triggers import DELIVERY_LEDGER, DEMAND_TABLE, QUEUES, STREAMS
from campaign_workers.domain.storage.layout import CAMPAIGN_DATA, SCORING
from campaign_workers.settings import Settings

EMBEDDED: Final = ("memory", "local")
"""Profiles that need nothing outside this machine."""
PROFILES: Final = (*EMBEDDED, "aws")
"""Profiles that can be had."""
MONGODB_URI: Final = "mongodb/uri"
"""The secret that holds the address of the database."""


def _mongo_uri(settings: Settings, secrets: Any) -> str:
    """The address of the database: what is set, else what the secret says."""
    return settings.mongodb_uri or str(secrets.read(MONGODB_URI))


class Ports(containers.DeclarativeContainer):
    """Ports to adapters."""

    settings = providers.Dependency(instance_of=Settings)
    clock: providers.Provider[Any] = providers.Dependency()
    profile = settings.provided.profile
    suffix = settings.provided.name_suffix

    # --- what the two embedded profiles keep things in ---
    folder = settings.provided.dir
    database = adapter(
        "local.sqlite:Database", providers.Callable(Path.joinpath, folder, "state.sqlite")
    )
    tables = providers.Selector(
        profile,
        memory=adapter("memory.tables:DictTables"),
        local=adapter("local.tables:SqliteTables", database),
    )

    # --- storage ---
    lake = providers.Selector(
        profile,
        memory=adapter("memory.object_store:MemoryObjectStore", clock),
        local=adapter(
            "local.object_store:FolderObjectStore",
            providers.Callable(Path.joinpath, folder, CAMPAIGN_DATA),
            clock,
        ),
        aws=adapter(
            "aws.s3.object_store:S3ObjectStore",
            client("s3"),
            required(settings, "campaign_data_bucket"),
        ),
    )
    scoring = providers.Selector(
        profile,
        memory=adapter("memory.object_store:MemoryObjectStore", clock),
        local=adapter(
            "local.object_store:FolderObjectStore",
            providers.Callable(Path.joinpath, folder, SCORING),
            clock,
        ),
        aws=adapter(
            "aws.s3.object_store:S3ObjectStore", client("s3"), required(settings, "scoring_bucket")
        ),
    )
    streams = providers.Selector(
        profile,
        memory=each(STREAMS, "memory.streams:MemoryRecordStream", clock),
        local=each(STREAMS, "local.streams:SqliteRecordStream", database, clock),
        aws=each(
            STREAMS, "aws.kinesis:KinesisRecordStream", client("kinesis"), clock, suffix=suffix
        ),
    )
    queues = providers.Selector(
        profile,
        memory=each(QUEUES, "memory.streams:MemoryMessageQueue", clock),
        local=each(QUEUES, "local.streams:SqliteMessageQueue", database, clock),
        aws=each(QUEUES, "aws.sqs:SqsMessageQueue", client("sqs"), clock, suffix=suffix),
    )
    workflow = providers.Selector(
        profile,
        memory=adapter("memory.workflow:MemoryWorkflowStarter", clock),
        local=adapter("local.workflow:SqliteWorkflowStarter", database, clock),
        aws=adapter(
            "aws.stepfunctions:StepFunctionsStarter",
            client("stepfunctions"),
            state_machine=required(settings, "sms_wave_state_machine"),
        ),
    )

    # --- the process ---
    secrets = providers.Selector(
        profile,
        memory=adapter("memory.system:MemorySecrets"),
        local=adapter(
            "local.secrets:FileSecrets", providers.Callable(Path.joinpath, folder, "secrets")
        ),
        aws=adapter(
            "aws.secrets_manager:SecretsManagerSecrets",
            client("secretsmanager"),
            prefix=settings.provided.secret_prefix,
        ),
    )
    metrics = providers.Selector(
        profile,
        memory=adapter("memory.system:MemoryMetrics"),
        local=adapter("system.metrics:LogMetrics"),
        aws=adapter("aws.cloudwatch:EmfMetrics"),
    )
    deadline = served(
        profile,
        adapter("system.deadlines:Unlimited"),
        adapter("aws.lambda_deadline:LambdaDeadline"),
    )

    # --- stand-ins of services and databases, with the same rules, over the profile's tables ---
    campaigns = adapter("fakes.campaigns:FakeCampaignService", tables)
    markets = adapter("fakes.campaigns:FakeMarketRepository", tables)
    users = adapter("fakes.users:FakeUserService", tables)
    entries = adapter("fakes.entries:FakeEntryService", tables, clock)
    code_pool = adapter("fakes.codes:FakeCodeService", tables, clock)

    # --- databases ---
    documents = adapter(
        "mongo.connection:database",
        providers.Callable(_mongo_uri, settings, secrets),
        read_preference=settings.provided.mongodb_read_preference,
        timeout_seconds=settings.provided.mongodb_timeout_seconds,
    )
    campaign_repository = served(
        profile, campaigns, adapter("mongo.campaigns:MongoCampaignRepository", documents)
    )
    market_repository = served(
        profile, markets, adapter("mongo.campaigns:MongoMarketRepository", documents)
    )
    entry_repository = served(
        profile,
        entries,
        adapter(
            "mongo.entries:MongoEntryRepository",
            documents,
            counting_seconds=settings.provided.mongodb_counting_seconds,
        ),
    )
    admin_stats = served(
        profile,
        adapter("fakes.databases:FakeAdminStatsRepository", tables),
        adapter("mongo.admin_stats:MongoAdminStatsRepository", documents),
    )
    demand = served(
        profile,
        adapter("fakes.databases:FakeDemandTable", tables),
        adapter(
            "aws.dynamodb_demand:DynamoDemandTable",
            client("dynamodb"),
            table=providers.Callable(str.__add__, DEMAND_TABLE, suffix),
        ),
    )
    ledger = served(
        profile,
        adapter("fakes.databases:FakeDeliveryLedger", tables),
        adapter(
            "aws.dynamodb_ledger:DynamoDeliveryLedger",
            client("dynamodb"),
            table=providers.Callable(str.__add__, DELIVERY_LEDGER, suffix),
        ),
    )

    # --- services of other teams ---
    campaign_service = served(
        profile,
        campaigns,
        asked("campaign:HttpCampaignService", "campaign", settings, secrets),
    )
    entry_service = served(
        profile, entries, asked("entry:HttpEntryService", "entry", settings, secrets)
    )
    code_service = served(
        profile, code_pool, asked("code:HttpCodeService", "code", settings, secrets)
    )
    user_service = served(profile, users, asked("user:HttpUserService", "user", settings, secrets))
    offer_codes = served(
        profile,
        adapter("fakes.codes:FakeOfferCodes", tables),
        asked("pacman:HttpOfferCodes", "pacman", settings, secrets),
    )
    sms = served(
        profile,
        adapter("fakes.messages:FakeSmsService", tables, clock),
        asked("sms:HttpSmsService", "sms", settings, secrets, clock),
    )
    chat = served(
        profile,
        adapter("fakes.messages:FakeChat", tables, clock),
        asked("slack:SlackChat", "slack", settings, secrets),
    )

    # --- formats ---
    codec = adapter("avro.codec:AvroRecordCodec", codec=settings.provided.avro_codec)
    engine = served(
        profile,
        adapter("avro.block_merge:BlockMerge", lake=lake, codec=settings.provided.avro_codec),
        adapter(
            "aws.athena:AthenaQueryEngine",
            client("athena"),
            client("glue"),
            lake,
            clock,
            s3=client("s3"),
            bucket=required(settings, "campaign_data_bucket"),
            workgroup=settings.provided.athena_workgroup,
            database=settings.provided.athena_database,
            codec=codec,
        ),
    )
    zips = adapter("archive.stream_zip:StreamZip")
