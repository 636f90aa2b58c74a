"""Lambda handler of slackStats."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("slackStats")
