"""Ports to adapters, and workers to ports: the table, read from top to bottom."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from dependency_injector import containers, providers

from campaign_workers.domain.layout import CAMPAIGN_DATA, SCORING
from campaign_workers.domain.triggers import (
    EMAIL_QUEUE,
    FANLIST_RANKS_STREAM,
    INPUT_STREAM,
    MOVE_MERGED_QUEUE,
    QUEUES,
    SAVE_SELECTION_STREAM,
    STREAMS,
    VERDICT_QUEUE,
    VF_INPUT_STREAM,
)
from campaign_workers.settings import Settings

ADAPTERS: Final = "campaign_workers.adapters"
WORKERS_ROOM: Final = "campaign_workers.workers"
PROFILES: Final = ("memory", "local")
"""Profiles that can be had."""


def lazy(place: str) -> Callable[..., Any]:
    """`module:name`, imported when it is called."""
    module, _, name = place.partition(":")

    def make(*args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(module), name)(*args, **kwargs)

    return make


def _adapter(place: str, *args: Any, **kwargs: Any) -> providers.Singleton[Any]:
    return providers.Singleton(lazy(f"{ADAPTERS}.{place}"), *args, **kwargs)


def _worker(place: str, **ports: Any) -> providers.Factory[Any]:
    return providers.Factory(lazy(f"{WORKERS_ROOM}.{place}"), **ports)


def _each(names: tuple[str, ...], place: str, *args: Any) -> providers.Singleton[Any]:
    """One adapter a name, as a mapping."""

    def make(*resolved: Any) -> dict[str, Any]:
        adapter = lazy(f"{ADAPTERS}.{place}")
        return {name: adapter(*resolved, name=name) for name in names}

    return providers.Singleton(make, *args)


class Wiring(containers.DeclarativeContainer):
    """Ports to adapters, then workers to ports."""

    settings = providers.Dependency(instance_of=Settings)
    clock: providers.Provider[Any] = providers.Dependency()
    deadline: providers.Provider[Any] = _adapter("system.limits:Unlimited")
    profile = settings.provided.profile

    # --- what the two embedded profiles keep things in ---
    folder = settings.provided.dir
    database = _adapter(
        "local.sqlite:Database", providers.Callable(Path.joinpath, folder, "state.sqlite")
    )
    tables = providers.Selector(
        profile,
        memory=_adapter("memory.tables:DictTables"),
        local=_adapter("local.tables:SqliteTables", database),
    )

    # --- storage ---
    lake = providers.Selector(
        profile,
        memory=_adapter("memory.object_store:MemoryObjectStore", clock),
        local=_adapter(
            "local.object_store:FolderObjectStore",
            providers.Callable(Path.joinpath, folder, CAMPAIGN_DATA),
            clock,
        ),
    )
    scoring = providers.Selector(
        profile,
        memory=_adapter("memory.object_store:MemoryObjectStore", clock),
        local=_adapter(
            "local.object_store:FolderObjectStore",
            providers.Callable(Path.joinpath, folder, SCORING),
            clock,
        ),
    )
    streams = providers.Selector(
        profile,
        memory=_each(STREAMS, "memory.streams:MemoryRecordStream", clock),
        local=_each(STREAMS, "local.streams:SqliteRecordStream", database, clock),
    )
    queues = providers.Selector(
        profile,
        memory=_each(QUEUES, "memory.streams:MemoryMessageQueue", clock),
        local=_each(QUEUES, "local.streams:SqliteMessageQueue", database, clock),
    )
    workflow = providers.Selector(
        profile,
        memory=_adapter("memory.workflow:MemoryWorkflowStarter", clock),
        local=_adapter("local.workflow:SqliteWorkflowStarter", database, clock),
    )
    secrets = providers.Selector(
        profile,
        memory=_adapter("memory.system:MemorySecrets"),
        local=_adapter(
            "local.secrets:FileSecrets", providers.Callable(Path.joinpath, folder, "secrets")
        ),
    )
    metrics = providers.Selector(
        profile,
        memory=_adapter("memory.system:MemoryMetrics"),
        local=_adapter("system.metrics:LogMetrics"),
    )

    # --- services and databases: stand-ins with the same rules over the profile's tables ---
    campaigns = _adapter("inprocess.campaign_store:CampaignStore", tables)
    markets = _adapter("inprocess.campaign_store:MarketStore", tables)
    users = _adapter("inprocess.user_directory:UserDirectory", tables)
    entries = _adapter("inprocess.entry_store:EntryStore", tables, clock)
    code_pool = _adapter("inprocess.code_pool:CodePool", tables, clock)
    offer_codes = _adapter("inprocess.offer_code_mint:OfferCodeMint", tables)
    sms = _adapter("inprocess.sms_outbox:SmsOutbox", tables, clock)
    chat = _adapter("inprocess.chat_log:ChatLog", tables, clock)
    demand = _adapter("inprocess.table_demand:TableDemand", tables)
    ledger = _adapter("inprocess.table_ledger:TableLedger", tables)
    admin_stats = _adapter("inprocess.table_admin_stats:TableAdminStats", tables)

    # --- formats ---
    codec = _adapter("avro.codec:AvroRecordCodec", codec=settings.provided.avro_codec)
    engine = _adapter("avro.block_merge:BlockMerge", lake=lake, codec=settings.provided.avro_codec)
    zips = _adapter("archive.stream_zip:StreamZip")

    # --- the fifteen ---
    save_campaign_data = _worker(
        "save_campaign_data:SaveCampaignData", lake=lake, codec=codec, metrics=metrics
    )
    transform_code_assignments = _worker(
        "transform_code_assignments:TransformCodeAssignments",
        users=users,
        campaigns=campaigns,
        selections=streams.provided[SAVE_SELECTION_STREAM],
        lake=lake,
        metrics=metrics,
    )
    save_selection = _worker(
        "save_selection:SaveSelection",
        entries=entries,
        demand=demand,
        verdicts=queues.provided[VERDICT_QUEUE],
        lake=lake,
        metrics=metrics,
    )
    process_sms_wave_files = _worker(
        "process_sms_wave_files:ProcessSmsWaveFiles",
        scoring=scoring,
        campaigns=campaigns,
        codes=code_pool,
        entries=entries,
        secrets=secrets,
        zips=zips,
        clock=clock,
    )
    merge_avro_files = _worker(
        "merge_avro_files:MergeAvroFiles",
        lake=lake,
        engine=engine,
        codec=codec,
        moves=queues.provided[MOVE_MERGED_QUEUE],
        clock=clock,
        largest=settings.provided.merge_limit_bytes,
    )
    move_merged_avro_files = _worker("move_merged_avro_files:MoveMergedAvroFiles", lake=lake)
    save_stats = _worker(
        "save_stats:SaveStats",
        campaigns=campaigns,
        entries=entries,
        stats=admin_stats,
        clock=clock,
        metrics=metrics,
    )
    slack_stats = _worker(
        "slack_stats:SlackStats",
        campaigns=campaigns,
        markets=markets,
        stats=admin_stats,
        chat=chat,
        metrics=metrics,
    )
    sms_wave_scheduler = _worker(
        "sms_wave_scheduler:SmsWaveScheduler",
        scoring=scoring,
        workflow=workflow,
        clock=clock,
    )
    sms_wave_send = _worker(
        "sms_wave_send:SmsWaveSend",
        scoring=scoring,
        campaigns=campaigns,
        sms=sms,
        emails=queues.provided[EMAIL_QUEUE],
        ledger=ledger,
        chat=chat,
        clock=clock,
        deadline=deadline,
        limits=providers.Factory(
            lazy(f"{WORKERS_ROOM}.sms_wave_send.sending:Limits"),
            in_flight=settings.provided.texts_in_flight,
        ),
    )
    load_code_assignments_to_stream = _worker(
        "load_code_assignments_to_stream:LoadCodeAssignmentsToStream",
        scoring=scoring,
        inputs=streams.provided[INPUT_STREAM],
        metrics=metrics,
    )
    process_scheduled_wave = _worker(
        "process_scheduled_wave:ProcessScheduledWave",
        scoring=scoring,
        codes=code_pool,
        metrics=metrics,
    )
    translate_ranks_to_scores = _worker(
        "translate_ranks_to_scores:TranslateRanksToScores",
        scoring=scoring,
        campaigns=campaigns,
        ranks=streams.provided[FANLIST_RANKS_STREAM],
        clock=clock,
    )
    generate_sms_wave_codes = _worker(
        "generate_sms_wave_codes:GenerateSmsWaveCodes",
        scoring=scoring,
        offer_codes=offer_codes,
        metrics=metrics,
        concurrency=settings.provided.offer_codes_in_flight,
    )
    process_scored_files = _worker(
        "process_scored_files:ProcessScoredFiles",
        scoring=scoring,
        scorings=streams.provided[VF_INPUT_STREAM],
        campaigns=campaigns,
        secrets=secrets,
        chat=chat,
        clock=clock,
        metrics=metrics,
        spool_dir=settings.provided.spool_dir,
    )
