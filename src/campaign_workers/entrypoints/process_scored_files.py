"""Lambda handler of processScoredFiles."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("processScoredFiles")
