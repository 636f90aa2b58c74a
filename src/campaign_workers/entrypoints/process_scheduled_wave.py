"""Lambda handler of processScheduledWave."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("processScheduledWave")
