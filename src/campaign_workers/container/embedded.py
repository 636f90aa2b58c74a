"""Adapters of the profiles `memory` and `local`; each is imported when it is built."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from campaign_workers.domain.running.triggers import QUEUES, STREAMS
from campaign_workers.domain.storage.layout import CAMPAIGN_DATA, SCORING

if TYPE_CHECKING:
    from campaign_workers.adapters.avro.block_merge import BlockMerge
    from campaign_workers.adapters.fakes.campaigns import (
        FakeCampaignService,
        FakeMarketRepository,
    )
    from campaign_workers.adapters.fakes.codes import FakeCodeService, FakeOfferCodes
    from campaign_workers.adapters.fakes.databases import (
        FakeAdminStatsRepository,
        FakeDeliveryLedger,
        FakeDemandTable,
    )
    from campaign_workers.adapters.fakes.entries import FakeEntryService
    from campaign_workers.adapters.fakes.messages import FakeChat, FakeSmsService
    from campaign_workers.adapters.fakes.tables import Tables
    from campaign_workers.adapters.fakes.users import FakeUserService
    from campaign_workers.adapters.local.object_store import FolderObjectStore
    from campaign_workers.adapters.local.secrets import FileSecrets
    from campaign_workers.adapters.local.sqlite import Database
    from campaign_workers.adapters.local.streams import SqliteMessageQueue, SqliteRecordStream
    from campaign_workers.adapters.local.workflow import SqliteWorkflowStarter
    from campaign_workers.adapters.memory.object_store import MemoryObjectStore
    from campaign_workers.adapters.memory.streams import MemoryMessageQueue, MemoryRecordStream
    from campaign_workers.adapters.memory.system import MemoryMetrics, MemorySecrets
    from campaign_workers.adapters.memory.workflow import MemoryWorkflowStarter
    from campaign_workers.adapters.system.deadlines import Unlimited
    from campaign_workers.adapters.system.metrics import LogMetrics
    from campaign_workers.container.ports import Ports

    Bucket = MemoryObjectStore | FolderObjectStore
    Stream = MemoryRecordStream | SqliteRecordStream
    Queue = MemoryMessageQueue | SqliteMessageQueue
    Workflow = MemoryWorkflowStarter | SqliteWorkflowStarter
    WritableSecrets = MemorySecrets | FileSecrets


# --- where the local profile keeps everything but objects and secrets ---


def database(ports: "Ports") -> "Database":
    """Open the SQLite file of the folder."""
    from campaign_workers.adapters.local.sqlite import Database

    return Database(ports.settings.dir / "state.sqlite")


def memory_tables(ports: "Ports") -> "Tables":
    """Build tables in dicts."""
    from campaign_workers.adapters.memory.tables import DictTables

    return DictTables()


def local_tables(ports: "Ports") -> "Tables":
    """Build tables in the SQLite file."""
    from campaign_workers.adapters.local.tables import SqliteTables

    return SqliteTables(ports.embedded.database)


# --- storage ---


def memory_bucket(ports: "Ports") -> "Bucket":
    """Build a bucket in a dict."""
    from campaign_workers.adapters.memory.object_store import MemoryObjectStore

    return MemoryObjectStore(ports.clock)


def local_lake(ports: "Ports") -> "Bucket":
    """Build the bucket `campaignData` as a folder."""
    from campaign_workers.adapters.local.object_store import FolderObjectStore

    return FolderObjectStore(ports.settings.dir / CAMPAIGN_DATA, ports.clock)


def local_scoring(ports: "Ports") -> "Bucket":
    """Build the bucket `scoring` as a folder."""
    from campaign_workers.adapters.local.object_store import FolderObjectStore

    return FolderObjectStore(ports.settings.dir / SCORING, ports.clock)


def memory_streams(ports: "Ports") -> "Mapping[str, Stream]":
    """Build the streams in lists."""
    from campaign_workers.adapters.memory.streams import MemoryRecordStream

    return {name: MemoryRecordStream(ports.clock, name=name) for name in STREAMS}


def local_streams(ports: "Ports") -> "Mapping[str, Stream]":
    """Build the streams in the SQLite file."""
    from campaign_workers.adapters.local.streams import SqliteRecordStream

    kept = ports.embedded.database
    return {name: SqliteRecordStream(kept, ports.clock, name=name) for name in STREAMS}


def memory_queues(ports: "Ports") -> "Mapping[str, Queue]":
    """Build the queues in dicts."""
    from campaign_workers.adapters.memory.streams import MemoryMessageQueue

    return {name: MemoryMessageQueue(ports.clock, name=name) for name in QUEUES}


def local_queues(ports: "Ports") -> "Mapping[str, Queue]":
    """Build the queues in the SQLite file."""
    from campaign_workers.adapters.local.streams import SqliteMessageQueue

    kept = ports.embedded.database
    return {name: SqliteMessageQueue(kept, ports.clock, name=name) for name in QUEUES}


def memory_workflow(ports: "Ports") -> "Workflow":
    """Build the list of started executions in memory."""
    from campaign_workers.adapters.memory.workflow import MemoryWorkflowStarter

    return MemoryWorkflowStarter(ports.clock)


def local_workflow(ports: "Ports") -> "Workflow":
    """Build the list of started executions in the SQLite file."""
    from campaign_workers.adapters.local.workflow import SqliteWorkflowStarter

    return SqliteWorkflowStarter(ports.embedded.database, ports.clock)


# --- the process ---


def memory_secrets(ports: "Ports") -> "WritableSecrets":
    """Build secrets in a dict."""
    from campaign_workers.adapters.memory.system import MemorySecrets

    return MemorySecrets()


def local_secrets(ports: "Ports") -> "WritableSecrets":
    """Build secrets as files."""
    from campaign_workers.adapters.local.secrets import FileSecrets

    return FileSecrets(ports.settings.dir / "secrets")


def memory_metrics(ports: "Ports") -> "MemoryMetrics":
    """Build counters in memory."""
    from campaign_workers.adapters.memory.system import MemoryMetrics

    return MemoryMetrics()


def log_metrics(ports: "Ports") -> "LogMetrics":
    """Build metrics that are log lines."""
    from campaign_workers.adapters.system.metrics import LogMetrics

    return LogMetrics()


def no_deadline(ports: "Ports") -> "Unlimited":
    """Build a deadline that never comes."""
    from campaign_workers.adapters.system.deadlines import Unlimited

    return Unlimited()


# --- fakes of services and databases: the same rules, over the tables of the profile ---


def campaigns(ports: "Ports") -> "FakeCampaignService":
    """Build the campaign service and its database."""
    from campaign_workers.adapters.fakes.campaigns import FakeCampaignService

    return FakeCampaignService(ports.embedded.tables)


def markets(ports: "Ports") -> "FakeMarketRepository":
    """Build the markets of the campaign database."""
    from campaign_workers.adapters.fakes.campaigns import FakeMarketRepository

    return FakeMarketRepository(ports.embedded.tables)


def users(ports: "Ports") -> "FakeUserService":
    """Build the user service."""
    from campaign_workers.adapters.fakes.users import FakeUserService

    return FakeUserService(ports.embedded.tables)


def entries(ports: "Ports") -> "FakeEntryService":
    """Build the entry service and its database."""
    from campaign_workers.adapters.fakes.entries import FakeEntryService

    return FakeEntryService(ports.embedded.tables, ports.clock)


def code_pool(ports: "Ports") -> "FakeCodeService":
    """Build the code service."""
    from campaign_workers.adapters.fakes.codes import FakeCodeService

    return FakeCodeService(ports.embedded.tables, ports.clock)


def offer_codes(ports: "Ports") -> "FakeOfferCodes":
    """Build the offer code service."""
    from campaign_workers.adapters.fakes.codes import FakeOfferCodes

    return FakeOfferCodes(ports.embedded.tables)


def sms(ports: "Ports") -> "FakeSmsService":
    """Build the SMS service."""
    from campaign_workers.adapters.fakes.messages import FakeSmsService

    return FakeSmsService(ports.embedded.tables, ports.clock)


def chat(ports: "Ports") -> "FakeChat":
    """Build the chat."""
    from campaign_workers.adapters.fakes.messages import FakeChat

    return FakeChat(ports.embedded.tables, ports.clock)


def admin_stats(ports: "Ports") -> "FakeAdminStatsRepository":
    """Build the statistics of the campaign database."""
    from campaign_workers.adapters.fakes.databases import FakeAdminStatsRepository

    return FakeAdminStatsRepository(ports.embedded.tables)


def demand(ports: "Ports") -> "FakeDemandTable":
    """Build the demand table."""
    from campaign_workers.adapters.fakes.databases import FakeDemandTable

    return FakeDemandTable(ports.embedded.tables)


def ledger(ports: "Ports") -> "FakeDeliveryLedger":
    """Build the delivery ledger."""
    from campaign_workers.adapters.fakes.databases import FakeDeliveryLedger

    return FakeDeliveryLedger(ports.embedded.tables)


def block_merge(ports: "Ports") -> "BlockMerge":
    """Build the query engine, which copies blocks from file to file."""
    from campaign_workers.adapters.avro.block_merge import BlockMerge

    return BlockMerge(lake=ports.lake, codec=ports.settings.avro_codec)
