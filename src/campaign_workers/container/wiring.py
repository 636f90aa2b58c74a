"""Ports to adapters, for each profile: the table, read from top to bottom.

mypy compares every function with the port in its row, and its body with the adapter's signature.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dependency_injector import containers, providers
from dependency_injector.providers import Provider

from campaign_workers.container import aws, embedded, profiles
from campaign_workers.container.profiles import (
    by_profile,
    embedded_only,
    embedded_or_aws,
    single,
)

if TYPE_CHECKING:
    from typing import Any

    from pymongo.database import Database as MongoDatabase

    from campaign_workers.adapters.fakes.campaigns import (
        FakeCampaignService,
        FakeMarketRepository,
    )
    from campaign_workers.adapters.fakes.codes import FakeCodeService, FakeOfferCodes
    from campaign_workers.adapters.fakes.entries import FakeEntryService
    from campaign_workers.adapters.fakes.messages import FakeChat, FakeSmsService
    from campaign_workers.adapters.fakes.tables import Tables
    from campaign_workers.adapters.fakes.users import FakeUserService
    from campaign_workers.adapters.local.sqlite import Database
    from campaign_workers.container.embedded import (
        Bucket,
        Queue,
        Stream,
        Workflow,
        WritableSecrets,
    )
    from campaign_workers.container.ports import Ports
    from campaign_workers.ports.campaign_service import CampaignService
    from campaign_workers.ports.chat import Chat
    from campaign_workers.ports.code_service import CodeService
    from campaign_workers.ports.entry_service import EntryService
    from campaign_workers.ports.object_store import ObjectStore
    from campaign_workers.ports.offer_codes import OfferCodes
    from campaign_workers.ports.query_engine import QueryEngine
    from campaign_workers.ports.record_codec import RecordCodec
    from campaign_workers.ports.repositories import (
        AdminStatsRepository,
        CampaignRepository,
        EntryRepository,
        MarketRepository,
    )
    from campaign_workers.ports.sms_service import SmsService
    from campaign_workers.ports.streams import MessageQueue, RecordStream
    from campaign_workers.ports.system import Clock, Deadline, Metrics, Secrets
    from campaign_workers.ports.tables import DeliveryLedger, DemandTable
    from campaign_workers.ports.user_service import UserService
    from campaign_workers.ports.workflow import WorkflowStarter
    from campaign_workers.ports.zip_writer import ZipWriter


def build_codec(ports: "Ports") -> "RecordCodec":
    """Build the reader and writer of the files of the lake."""
    from campaign_workers.adapters.avro.codec import AvroRecordCodec

    return AvroRecordCodec(codec=ports.settings.avro_codec)


def build_zips(ports: "Ports") -> "ZipWriter":
    """Build the writer of zip archives."""
    from campaign_workers.adapters.archive.stream_zip import StreamZip

    return StreamZip()


class Wiring(containers.DeclarativeContainer):
    """One provider for each port, and for what the embedded profiles build them from."""

    ports = profiles.ports
    profile = profiles.profile

    # --- the embedded profiles ---
    database: "Provider[Database]" = single(embedded.database)
    tables: "Provider[Tables]" = embedded_only(
        memory=embedded.memory_tables, local=embedded.local_tables
    )
    embedded_lake: "Provider[Bucket]" = embedded_only(
        memory=embedded.memory_bucket, local=embedded.local_lake
    )
    embedded_scoring: "Provider[Bucket]" = embedded_only(
        memory=embedded.memory_bucket, local=embedded.local_scoring
    )
    embedded_streams: "Provider[Mapping[str, Stream]]" = embedded_only(
        memory=embedded.memory_streams, local=embedded.local_streams
    )
    embedded_queues: "Provider[Mapping[str, Queue]]" = embedded_only(
        memory=embedded.memory_queues, local=embedded.local_queues
    )
    embedded_workflow: "Provider[Workflow]" = embedded_only(
        memory=embedded.memory_workflow, local=embedded.local_workflow
    )
    embedded_secrets: "Provider[WritableSecrets]" = embedded_only(
        memory=embedded.memory_secrets, local=embedded.local_secrets
    )
    campaigns: "Provider[FakeCampaignService]" = single(embedded.campaigns)
    markets: "Provider[FakeMarketRepository]" = single(embedded.markets)
    users: "Provider[FakeUserService]" = single(embedded.users)
    entries: "Provider[FakeEntryService]" = single(embedded.entries)
    code_pool: "Provider[FakeCodeService]" = single(embedded.code_pool)
    embedded_offer_codes: "Provider[FakeOfferCodes]" = single(embedded.offer_codes)
    embedded_sms: "Provider[FakeSmsService]" = single(embedded.sms)
    embedded_chat: "Provider[FakeChat]" = single(embedded.chat)

    # --- storage ---
    lake: "Provider[ObjectStore]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.lake, aws=aws.lake
    )
    scoring: "Provider[ObjectStore]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.scoring, aws=aws.scoring
    )
    streams: "Provider[Mapping[str, RecordStream]]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.streams, aws=aws.streams
    )
    queues: "Provider[Mapping[str, MessageQueue]]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.queues, aws=aws.queues
    )
    workflow: "Provider[WorkflowStarter]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.workflow, aws=aws.workflow
    )
    demand: "Provider[DemandTable]" = embedded_or_aws(embedded=embedded.demand, aws=aws.demand)
    ledger: "Provider[DeliveryLedger]" = embedded_or_aws(embedded=embedded.ledger, aws=aws.ledger)

    # --- the process ---
    clock: "Provider[Clock]" = providers.Dependency()
    secrets: "Provider[Secrets]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.secrets, aws=aws.secrets
    )
    metrics: "Provider[Metrics]" = by_profile(
        memory=embedded.memory_metrics, local=embedded.log_metrics, aws=aws.metrics
    )
    deadline: "Provider[Deadline]" = embedded_or_aws(
        embedded=embedded.no_deadline, aws=aws.deadline
    )

    # --- databases ---
    documents: "Provider[MongoDatabase[dict[str, Any]]]" = single(aws.documents)
    campaign_repository: "Provider[CampaignRepository]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.campaigns, aws=aws.campaign_repository
    )
    market_repository: "Provider[MarketRepository]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.markets, aws=aws.market_repository
    )
    entry_repository: "Provider[EntryRepository]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.entries, aws=aws.entry_repository
    )
    admin_stats: "Provider[AdminStatsRepository]" = embedded_or_aws(
        embedded=embedded.admin_stats, aws=aws.admin_stats
    )

    # --- services of other teams ---
    campaign_service: "Provider[CampaignService]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.campaigns, aws=aws.campaign_service
    )
    entry_service: "Provider[EntryService]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.entries, aws=aws.entry_service
    )
    code_service: "Provider[CodeService]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.code_pool, aws=aws.code_service
    )
    user_service: "Provider[UserService]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.users, aws=aws.user_service
    )
    offer_codes: "Provider[OfferCodes]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.offer_codes, aws=aws.offer_codes
    )
    sms: "Provider[SmsService]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.sms, aws=aws.sms
    )
    chat: "Provider[Chat]" = embedded_or_aws(
        embedded=lambda ports: ports.embedded.chat, aws=aws.chat
    )

    # --- formats ---
    codec: "Provider[RecordCodec]" = single(build_codec)
    engine: "Provider[QueryEngine]" = embedded_or_aws(embedded=embedded.block_merge, aws=aws.engine)
    zips: "Provider[ZipWriter]" = single(build_zips)
