"""Workers to ports: what each of the fifteen works with."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from campaign_workers.domain.running.triggers import (
    EMAIL_QUEUE,
    FANLIST_RANKS_STREAM,
    INPUT_STREAM,
    MOVE_MERGED_QUEUE,
    SAVE_SELECTION_STREAM,
    VERDICT_QUEUE,
    VF_INPUT_STREAM,
)

if TYPE_CHECKING:
    from campaign_workers.container.ports import Ports
    from campaign_workers.domain.preparation.request import WavePrepRequest
    from campaign_workers.domain.running.events import (
        ObjectCreated,
        QueueMessage,
        StreamBatch,
        Tick,
    )
    from campaign_workers.domain.running.reports import Worker
    from campaign_workers.domain.waves.progress import SendRequest
    from campaign_workers.workers.generate_sms_wave_codes import GenerateCodesRequest
    from campaign_workers.workers.process_scheduled_wave import AssignCodesRequest


def save_campaign_data(ports: "Ports") -> "Worker[StreamBatch]":
    """Build `saveCampaignData`."""
    from campaign_workers.workers.save_campaign_data import SaveCampaignData

    return SaveCampaignData(
        lake=ports.lake,
        codec=ports.codec,
    )


def transform_code_assignments(ports: "Ports") -> "Worker[StreamBatch]":
    """Build `transformCodeAssignments`."""
    from campaign_workers.workers.transform_code_assignments import TransformCodeAssignments

    return TransformCodeAssignments(
        users=ports.user_service,
        campaigns=ports.campaign_service,
        selections=ports.streams[SAVE_SELECTION_STREAM],
        lake=ports.lake,
        lookups_at_once=ports.settings.lookups_at_once,
    )


def save_selection(ports: "Ports") -> "Worker[StreamBatch]":
    """Build `saveSelection`."""
    from campaign_workers.workers.save_selection import SaveSelection

    return SaveSelection(
        entries=ports.entry_service,
        demand=ports.demand,
        verdicts=ports.queues[VERDICT_QUEUE],
        lake=ports.lake,
        batch_size=ports.settings.selections_at_once,
    )


def process_sms_wave_files(ports: "Ports") -> "Worker[WavePrepRequest]":
    """Build `processSmsWaveFiles`."""
    from campaign_workers.workers.process_sms_wave_files import ProcessSmsWaveFiles

    return ProcessSmsWaveFiles(
        scoring=ports.scoring,
        campaigns=ports.campaign_service,
        codes=ports.code_service,
        entries=ports.entry_service,
        secrets=ports.secrets,
        zips=ports.zips,
        clock=ports.clock,
    )


def merge_avro_files(ports: "Ports") -> "Worker[str]":
    """Build `mergeAvroFiles`."""
    from campaign_workers.workers.merge_avro_files import MergeAvroFiles

    return MergeAvroFiles(
        lake=ports.lake,
        engine=ports.engine,
        codec=ports.codec,
        moves=ports.queues[MOVE_MERGED_QUEUE],
        clock=ports.clock,
        max_bytes=ports.settings.merge_limit_bytes,
    )


def move_merged_avro_files(ports: "Ports") -> "Worker[QueueMessage]":
    """Build `moveMergedAvroFiles`."""
    from campaign_workers.workers.move_merged_avro_files import MoveMergedAvroFiles

    return MoveMergedAvroFiles(
        lake=ports.lake,
    )


def save_stats(ports: "Ports") -> "Worker[Tick]":
    """Build `saveStats`."""
    from campaign_workers.workers.save_stats import SaveStats

    return SaveStats(
        campaigns=ports.campaign_repository,
        entries=ports.entry_repository,
        stats=ports.admin_stats,
        clock=ports.clock,
    )


def slack_stats(ports: "Ports") -> "Worker[Tick]":
    """Build `slackStats`."""
    from campaign_workers.workers.slack_stats import SlackStats

    return SlackStats(
        campaigns=ports.campaign_repository,
        markets=ports.market_repository,
        stats=ports.admin_stats,
        chat=ports.chat,
    )


def sms_wave_scheduler(ports: "Ports") -> "Worker[Tick]":
    """Build `smsWaveScheduler`."""
    from campaign_workers.workers.sms_wave_scheduler import SmsWaveScheduler

    return SmsWaveScheduler(
        scoring=ports.scoring,
        workflow=ports.workflow,
        clock=ports.clock,
    )


def sms_wave_send(ports: "Ports") -> "Worker[SendRequest]":
    """Build `smsWaveSend`."""
    from campaign_workers.workers.sms_wave_send.sender import Limits
    from campaign_workers.workers.sms_wave_send.worker import SmsWaveSend

    return SmsWaveSend(
        scoring=ports.scoring,
        campaigns=ports.campaign_service,
        sms=ports.sms,
        emails=ports.queues[EMAIL_QUEUE],
        ledger=ports.ledger,
        chat=ports.chat,
        clock=ports.clock,
        deadline=ports.deadline,
        limits=Limits(in_flight=ports.settings.texts_in_flight),
    )


def load_code_assignments_to_stream(ports: "Ports") -> "Worker[ObjectCreated]":
    """Build `loadCodeAssignmentsToStream`."""
    from campaign_workers.workers.load_code_assignments_to_stream import LoadCodeAssignmentsToStream

    return LoadCodeAssignmentsToStream(
        scoring=ports.scoring,
        inputs=ports.streams[INPUT_STREAM],
    )


def process_scheduled_wave(ports: "Ports") -> "Worker[AssignCodesRequest]":
    """Build `processScheduledWave`."""
    from campaign_workers.workers.process_scheduled_wave import ProcessScheduledWave

    return ProcessScheduledWave(
        scoring=ports.scoring,
        codes=ports.code_service,
        batch_size=ports.settings.codes_at_once,
    )


def translate_ranks_to_scores(ports: "Ports") -> "Worker[ObjectCreated]":
    """Build `translateRanksToScores`."""
    from campaign_workers.workers.translate_ranks_to_scores import TranslateRanksToScores

    return TranslateRanksToScores(
        scoring=ports.scoring,
        campaigns=ports.campaign_service,
        ranks=ports.streams[FANLIST_RANKS_STREAM],
        clock=ports.clock,
        max_bytes=ports.settings.fanlist_limit_bytes,
    )


def generate_sms_wave_codes(ports: "Ports") -> "Worker[GenerateCodesRequest]":
    """Build `generateSmsWaveCodes`."""
    from campaign_workers.workers.generate_sms_wave_codes import GenerateSmsWaveCodes

    return GenerateSmsWaveCodes(
        scoring=ports.scoring,
        offer_codes=ports.offer_codes,
        concurrency=ports.settings.offer_codes_in_flight,
    )


def process_scored_files(ports: "Ports") -> "Worker[ObjectCreated]":
    """Build `processScoredFiles`."""
    from campaign_workers.workers.process_scored_files import ProcessScoredFiles

    return ProcessScoredFiles(
        scoring=ports.scoring,
        scorings=ports.streams[VF_INPUT_STREAM],
        campaigns=ports.campaign_service,
        secrets=ports.secrets,
        chat=ports.chat,
        clock=ports.clock,
        spool_dir=ports.settings.spool_dir,
        max_list_bytes=ports.settings.list_limit_bytes,
    )


BUILDERS: Final[Mapping[str, "Callable[[Ports], Worker[Any]]"]] = {
    "saveCampaignData": save_campaign_data,
    "transformCodeAssignments": transform_code_assignments,
    "saveSelection": save_selection,
    "processSmsWaveFiles": process_sms_wave_files,
    "mergeAvroFiles": merge_avro_files,
    "moveMergedAvroFiles": move_merged_avro_files,
    "saveStats": save_stats,
    "slackStats": slack_stats,
    "smsWaveScheduler": sms_wave_scheduler,
    "smsWaveSend": sms_wave_send,
    "loadCodeAssignmentsToStream": load_code_assignments_to_stream,
    "processScheduledWave": process_scheduled_wave,
    "translateRanksToScores": translate_ranks_to_scores,
    "generateSmsWaveCodes": generate_sms_wave_codes,
    "processScoredFiles": process_scored_files,
}
"""How each worker is built, by its name."""
