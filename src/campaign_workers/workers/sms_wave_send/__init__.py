"""smsWaveSend: notify the registrants of a wave."""

from campaign_workers.workers.sms_wave_send.worker import WORKER, SmsWaveSend

__all__ = ["WORKER", "SmsWaveSend"]
