"""Lambda handler of processSmsWaveFiles."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("processSmsWaveFiles")
