"""Lambda handler of saveSelection."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("saveSelection")
