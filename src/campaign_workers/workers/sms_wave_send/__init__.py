"""smsWaveSend: notify the registrants of a wave."""

from campaign_workers.workers.sms_wave_send.worker import SmsWaveSend

__all__ = ["SmsWaveSend"]
