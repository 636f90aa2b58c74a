"""Adapters of the profile `aws`: AWS, MongoDB and other teams' services over HTTP.

Each is imported when it is built.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.triggers import DELIVERY_LEDGER, DEMAND_TABLE, QUEUES, STREAMS
from campaign_workers.settings import Settings, variable

if TYPE_CHECKING:
    from pymongo.database import Database

    from campaign_workers.container.ports import Ports
    from campaign_workers.ports.campaign_service import CampaignService
    from campaign_workers.ports.chat import Chat
    from campaign_workers.ports.code_service import CodeService
    from campaign_workers.ports.entry_service import EntryService
    from campaign_workers.ports.object_store import ObjectStore
    from campaign_workers.ports.offer_codes import OfferCodes
    from campaign_workers.ports.query_engine import QueryEngine
    from campaign_workers.ports.repositories import (
        AdminStatsRepository,
        CampaignRepository,
        EntryRepository,
        MarketRepository,
    )
    from campaign_workers.ports.sms_service import SmsService
    from campaign_workers.ports.streams import MessageQueue, RecordStream
    from campaign_workers.ports.system import Deadline, Metrics, Secrets
    from campaign_workers.ports.tables import DeliveryLedger, DemandTable
    from campaign_workers.ports.user_service import UserService
    from campaign_workers.ports.workflow import WorkflowStarter

MONGODB_URI: Final = "mongodb/uri"
"""The secret with the address of the database."""


def required_setting(settings: Settings, name: str) -> str:
    """Return a setting that this profile cannot work without.

    Raises:
        BadInput: it is not set; names its environment variable.
    """
    value: str | None = getattr(settings, name)
    if not value:
        raise BadInput(f"{name} is required for profile 'aws'", remedy=f"set {variable(name)}")
    return value


# --- storage ---


def lake(ports: "Ports") -> "ObjectStore":
    """Build the bucket `campaignData` in S3."""
    from campaign_workers.adapters.aws.clients import client
    from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore

    return S3ObjectStore(client("s3"), required_setting(ports.settings, "campaign_data_bucket"))


def scoring(ports: "Ports") -> "ObjectStore":
    """Build the bucket `scoring` in S3."""
    from campaign_workers.adapters.aws.clients import client
    from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore

    return S3ObjectStore(client("s3"), required_setting(ports.settings, "scoring_bucket"))


def streams(ports: "Ports") -> "Mapping[str, RecordStream]":
    """Build the streams in Kinesis."""
    from campaign_workers.adapters.aws.clients import client
    from campaign_workers.adapters.aws.kinesis import KinesisRecordStream

    kinesis, suffix = client("kinesis"), ports.settings.name_suffix
    return {name: KinesisRecordStream(kinesis, ports.clock, name=name + suffix) for name in STREAMS}


def queues(ports: "Ports") -> "Mapping[str, MessageQueue]":
    """Build the queues in SQS."""
    from campaign_workers.adapters.aws.clients import client
    from campaign_workers.adapters.aws.sqs import SqsMessageQueue

    sqs, suffix = client("sqs"), ports.settings.name_suffix
    return {name: SqsMessageQueue(sqs, ports.clock, name=name + suffix) for name in QUEUES}


def workflow(ports: "Ports") -> "WorkflowStarter":
    """Build the state machine in Step Functions."""
    from campaign_workers.adapters.aws.clients import client
    from campaign_workers.adapters.aws.stepfunctions import StepFunctionsStarter

    machine = required_setting(ports.settings, "sms_wave_state_machine")
    return StepFunctionsStarter(client("stepfunctions"), state_machine=machine)


def demand(ports: "Ports") -> "DemandTable":
    """Build the demand table in DynamoDB."""
    from campaign_workers.adapters.aws.clients import client
    from campaign_workers.adapters.aws.dynamodb_demand import DynamoDemandTable

    table = DEMAND_TABLE + ports.settings.name_suffix
    return DynamoDemandTable(client("dynamodb"), table=table)


def ledger(ports: "Ports") -> "DeliveryLedger":
    """Build the delivery ledger in DynamoDB."""
    from campaign_workers.adapters.aws.clients import client
    from campaign_workers.adapters.aws.dynamodb_ledger import DynamoDeliveryLedger

    table = DELIVERY_LEDGER + ports.settings.name_suffix
    return DynamoDeliveryLedger(client("dynamodb"), table=table)


def engine(ports: "Ports") -> "QueryEngine":
    """Build the query engine in Athena."""
    from campaign_workers.adapters.aws.athena import AthenaQueryEngine
    from campaign_workers.adapters.aws.clients import client

    return AthenaQueryEngine(
        client("athena"),
        client("glue"),
        ports.lake,
        ports.clock,
        s3=client("s3"),
        bucket=required_setting(ports.settings, "campaign_data_bucket"),
        workgroup=ports.settings.athena_workgroup,
        database=ports.settings.athena_database,
        codec=ports.codec,
    )


# --- the process ---


def secrets(ports: "Ports") -> "Secrets":
    """Build secrets in Secrets Manager."""
    from campaign_workers.adapters.aws.clients import client
    from campaign_workers.adapters.aws.secrets_manager import SecretsManagerSecrets

    return SecretsManagerSecrets(client("secretsmanager"), prefix=ports.settings.secret_prefix)


def metrics(ports: "Ports") -> "Metrics":
    """Build metrics in the embedded metric format."""
    from campaign_workers.adapters.aws.cloudwatch import EmfMetrics

    return EmfMetrics()


def deadline(ports: "Ports") -> "Deadline":
    """Build the deadline of a Lambda invocation."""
    from campaign_workers.adapters.aws.lambda_deadline import LambdaDeadline

    return LambdaDeadline()


# --- databases ---


def documents(ports: "Ports") -> "Database[dict[str, Any]]":
    """Connect to the database at the address that a setting, or else a secret, holds."""
    from campaign_workers.adapters.mongo.connection import database

    return database(
        ports.settings.mongodb_uri or ports.secrets.read(MONGODB_URI),
        read_preference=ports.settings.mongodb_read_preference,
        timeout_seconds=ports.settings.mongodb_timeout_seconds,
    )


def campaign_repository(ports: "Ports") -> "CampaignRepository":
    """Build the campaigns in MongoDB."""
    from campaign_workers.adapters.mongo.campaigns import MongoCampaignRepository

    return MongoCampaignRepository(ports.documents)


def market_repository(ports: "Ports") -> "MarketRepository":
    """Build the markets in MongoDB."""
    from campaign_workers.adapters.mongo.campaigns import MongoMarketRepository

    return MongoMarketRepository(ports.documents)


def entry_repository(ports: "Ports") -> "EntryRepository":
    """Build the entries in MongoDB."""
    from campaign_workers.adapters.mongo.entries import MongoEntryRepository

    return MongoEntryRepository(
        ports.documents, counting_seconds=ports.settings.mongodb_counting_seconds
    )


def admin_stats(ports: "Ports") -> "AdminStatsRepository":
    """Build the statistics in MongoDB."""
    from campaign_workers.adapters.mongo.admin_stats import MongoAdminStatsRepository

    return MongoAdminStatsRepository(ports.documents)


# --- services of other teams ---


def campaign_service(ports: "Ports") -> "CampaignService":
    """Build the client of the campaign service."""
    from campaign_workers.adapters.http.campaign import HttpCampaignService

    return HttpCampaignService(ports.settings.service_url("campaign"), ports.secrets)


def entry_service(ports: "Ports") -> "EntryService":
    """Build the client of the entry service."""
    from campaign_workers.adapters.http.entry import HttpEntryService

    return HttpEntryService(ports.settings.service_url("entry"), ports.secrets)


def code_service(ports: "Ports") -> "CodeService":
    """Build the client of the code service."""
    from campaign_workers.adapters.http.code import HttpCodeService

    return HttpCodeService(ports.settings.service_url("code"), ports.secrets)


def user_service(ports: "Ports") -> "UserService":
    """Build the client of the user service."""
    from campaign_workers.adapters.http.user import HttpUserService

    return HttpUserService(ports.settings.service_url("user"), ports.secrets)


def offer_codes(ports: "Ports") -> "OfferCodes":
    """Build the client of the offer code service (Pacman)."""
    from campaign_workers.adapters.http.pacman import HttpOfferCodes

    return HttpOfferCodes(ports.settings.service_url("pacman"), ports.secrets)


def sms(ports: "Ports") -> "SmsService":
    """Build the client of the SMS service."""
    from campaign_workers.adapters.http.sms import HttpSmsService

    return HttpSmsService(ports.settings.service_url("sms"), ports.secrets, ports.clock)


def chat(ports: "Ports") -> "Chat":
    """Build the client of the chat (Slack)."""
    from campaign_workers.adapters.http.slack import SlackChat

    return SlackChat(ports.settings.service_url("slack"), ports.secrets)
