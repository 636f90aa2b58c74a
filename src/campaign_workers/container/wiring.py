"""Workers to ports: what each of the fifteen works with."""

from dependency_injector import providers

from campaign_workers.container.ports import Ports
from campaign_workers.container.providing import WORKERS_ROOM, lazy, worker
from campaign_workers.domain.running.triggers import (
    EMAIL_QUEUE,
    FANLIST_RANKS_STREAM,
    INPUT_STREAM,
    MOVE_MERGED_QUEUE,
    SAVE_SELECTION_STREAM,
    VERDICT_QUEUE,
    VF_INPUT_STREAM,
)


class Wiring(Ports):
    """Workers to ports."""

    save_campaign_data = worker(
        "save_campaign_data:SaveCampaignData",
        lake=Ports.lake,
        codec=Ports.codec,
    )
    transform_code_assignments = worker(
        "transform_code_assignments:TransformCodeAssignments",
        users=Ports.user_service,
        campaigns=Ports.campaign_service,
        selections=Ports.streams.provided[SAVE_SELECTION_STREAM],
        lake=Ports.lake,
        lookups_at_once=Ports.settings.provided.lookups_at_once,
    )
    save_selection = worker(
        "save_selection:SaveSelection",
        entries=Ports.entry_service,
        demand=Ports.demand,
        verdicts=Ports.queues.provided[VERDICT_QUEUE],
        lake=Ports.lake,
        batch_size=Ports.settings.provided.selections_at_once,
    )
    process_sms_wave_files = worker(
        "process_sms_wave_files:ProcessSmsWaveFiles",
        scoring=Ports.scoring,
        campaigns=Ports.campaign_service,
        codes=Ports.code_service,
        entries=Ports.entry_service,
        secrets=Ports.secrets,
        zips=Ports.zips,
        clock=Ports.clock,
    )
    merge_avro_files = worker(
        "merge_avro_files:MergeAvroFiles",
        lake=Ports.lake,
        engine=Ports.engine,
        codec=Ports.codec,
        moves=Ports.queues.provided[MOVE_MERGED_QUEUE],
        clock=Ports.clock,
        largest=Ports.settings.provided.merge_limit_bytes,
    )
    move_merged_avro_files = worker("move_merged_avro_files:MoveMergedAvroFiles", lake=Ports.lake)
    save_stats = worker(
        "save_stats:SaveStats",
        campaigns=Ports.campaign_repository,
        entries=Ports.entry_repository,
        stats=Ports.admin_stats,
        clock=Ports.clock,
    )
    slack_stats = worker(
        "slack_stats:SlackStats",
        campaigns=Ports.campaign_repository,
        markets=Ports.market_repository,
        stats=Ports.admin_stats,
        chat=Ports.chat,
    )
    sms_wave_scheduler = worker(
        "sms_wave_scheduler:SmsWaveScheduler",
        scoring=Ports.scoring,
        workflow=Ports.workflow,
        clock=Ports.clock,
    )
    sms_wave_send = worker(
        "sms_wave_send.worker:SmsWaveSend",
        scoring=Ports.scoring,
        campaigns=Ports.campaign_service,
        sms=Ports.sms,
        emails=Ports.queues.provided[EMAIL_QUEUE],
        ledger=Ports.ledger,
        chat=Ports.chat,
        clock=Ports.clock,
        deadline=Ports.deadline,
        limits=providers.Factory(
            lazy(f"{WORKERS_ROOM}.sms_wave_send.sender:Limits"),
            in_flight=Ports.settings.provided.texts_in_flight,
        ),
    )
    load_code_assignments_to_stream = worker(
        "load_code_assignments_to_stream:LoadCodeAssignmentsToStream",
        scoring=Ports.scoring,
        inputs=Ports.streams.provided[INPUT_STREAM],
    )
    process_scheduled_wave = worker(
        "process_scheduled_wave:ProcessScheduledWave",
        scoring=Ports.scoring,
        codes=Ports.code_service,
        batch_size=Ports.settings.provided.codes_at_once,
    )
    translate_ranks_to_scores = worker(
        "translate_ranks_to_scores:TranslateRanksToScores",
        scoring=Ports.scoring,
        campaigns=Ports.campaign_service,
        ranks=Ports.streams.provided[FANLIST_RANKS_STREAM],
        clock=Ports.clock,
        largest=Ports.settings.provided.fanlist_limit_bytes,
    )
    generate_sms_wave_codes = worker(
        "generate_sms_wave_codes:GenerateSmsWaveCodes",
        scoring=Ports.scoring,
        offer_codes=Ports.offer_codes,
        concurrency=Ports.settings.provided.offer_codes_in_flight,
    )
    process_scored_files = worker(
        "process_scored_files:ProcessScoredFiles",
        scoring=Ports.scoring,
        scorings=Ports.streams.provided[VF_INPUT_STREAM],
        campaigns=Ports.campaign_service,
        secrets=Ports.secrets,
        chat=Ports.chat,
        clock=Ports.clock,
        spool_dir=Ports.settings.provided.spool_dir,
        largest_list=Ports.settings.provided.list_limit_bytes,
    )
