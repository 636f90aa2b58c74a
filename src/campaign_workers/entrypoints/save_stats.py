"""Lambda handler of saveStats."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("saveStats")
