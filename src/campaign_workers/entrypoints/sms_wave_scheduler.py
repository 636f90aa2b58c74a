"""Lambda handler of smsWaveScheduler."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("smsWaveScheduler")
